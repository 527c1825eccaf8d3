"""The data socket's frames as a component reads and writes them."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from components.sdk.records import Published
from streaming.core.position import Cursor

MAX_BYTES = 16 * 1024 * 1024

Frame = dict[str, Any]


class Inbound(msgspec.Struct, gc=False):
    """Every frame the server sends on the data socket, in one form; records have no COMMAND."""

    COMMAND: str = ""
    topic: str = ""
    alias: int | None = None
    # One record, or several that follow each other
    seq: int = 0
    ts: int | list[int] = 0
    n: int | list[int] | None = None
    data: msgspec.Raw = msgspec.Raw()
    first: int = 0
    msgs: list[msgspec.Raw] | None = None
    ck: str | None = None
    # GAP, REWIND, END
    epoch: str = ""
    from_: int | None = msgspec.field(default=None, name="from")
    to: int | None = None
    count: int | None = None
    next: int = 0
    prev: dict[str, Any] | None = None
    reason: str = ""
    final: bool = False
    # POS
    pos: dict[str, tuple[int, str]] = {}
    # Answers
    id: int | str | None = None
    ref: int | str | None = None
    topics: list[Any] = []
    errors: list[Frame] = []
    last: int = 0
    code: str = ""
    message: str = ""
    temporary: bool = False
    details: Frame = {}


class Entry(msgspec.Struct):
    """One topic of SUBSCRIBED: what comes ``next`` and the chain value before it."""

    topic: str
    alias: int | None = None
    epoch: str = ""
    next: int = 1
    ck: str | None = None
    resumed: bool = False


class Subscription(msgspec.Struct, frozen=True):
    """
    A topic or pattern to be followed.

    ``start`` counts without a cursor: ``latest``, ``latest-n``, ``earliest``, ``seq:n`` or
    ``time:ms``. ``policy`` is ``drop``, ``conflate``, ``block`` or ``close``, empty for the
    session's own; ``key`` names the member of the data that ``conflate`` keeps the last of.
    """

    topic: str
    start: str = "latest"
    policy: str = ""
    key: str = ""

    @property
    def is_pattern(self) -> bool:
        return "*" in self.topic

    def request(self, topic: str = "", cursor: Cursor | None = None) -> Frame:
        """Write the entry of SUBSCRIBE, for one topic of a pattern where it is given."""
        entry: Frame = {"topic": topic or self.topic, "from": self.start}
        if self.policy:
            entry["policy"] = self.policy
        if self.key:
            entry["key"] = self.key
        if cursor is not None:
            entry["cursor"] = cursor_frame(cursor)
        return entry


decode = msgspec.json.Decoder(Inbound).decode
encode = msgspec.json.encode


def entries(frame: Inbound) -> list[Entry]:
    """Read the topics of SUBSCRIBED."""
    return msgspec.convert(frame.topics, list[Entry])


def published(frame: Inbound) -> Published:
    """Read PUBLISHED."""
    return Published(frame.topic, frame.epoch, frame.first, frame.last)


# Writing


def hello(token: str, component_id: str) -> bytes:
    frame = {"session_token": token}
    if component_id:
        frame["component_id"] = component_id
    return encode(frame)


def subscribe(ref: int, requests: Iterable[Frame]) -> bytes:
    return encode({"COMMAND": "SUBSCRIBE", "id": ref, "topics": list(requests)})


def unsubscribe(ref: int, topics: Sequence[str]) -> bytes:
    return encode({"COMMAND": "UNSUBSCRIBE", "id": ref, "topics": topics})


def publish(
    topic: str,
    items: Sequence[Any],
    ref: int | None = None,
    count: tuple[int, int] | None = None,
) -> bytes:
    """
    Write PUBLISH; an item is any JSON value, or ``msgspec.Raw`` with a JSON text.

    ``count`` is which life of this publisher it is, and the number of this PUBLISH in it.
    """
    frame: Frame = {"COMMAND": "PUBLISH", "topic": topic}
    if len(items) == 1:
        frame["data"] = items[0]
    else:
        frame["msgs"] = items
    if ref is not None:
        frame["id"] = ref
    if count is not None:
        frame["producer_epoch"], frame["n"] = count
    return encode(frame)


def commit(positions: dict[str, int]) -> bytes:
    return encode({"COMMAND": "COMMIT", "pos": positions})


def hold(topic: str, *, is_paused: bool) -> bytes:
    return encode({"COMMAND": "PAUSE" if is_paused else "RESUME", "topic": topic})


def cursor_frame(cursor: Cursor) -> Frame:
    """Write a cursor as it stands in SUBSCRIBE and in a store."""
    trail = [[seq, ck.hex()] for seq, ck in cursor.trail]
    return {**cursor.as_dict(), **({"trail": trail} if trail else {})}
