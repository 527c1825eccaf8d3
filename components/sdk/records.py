"""What a component is given: records, and what stands between them."""

from typing import Any

import msgspec

from streaming.core.position import Cursor, Position


class Record(msgspec.Struct, frozen=True, gc=False):
    """
    One entry of a topic.

    ``ts`` is unix milliseconds; ``data`` is the decoded JSON value and ``raw`` its text as the
    publisher sent it; ``ck`` is the chain value, None where it cannot be known; ``n`` is the
    place in the clock order of a historical source.
    """

    topic: str
    seq: int
    ts: int
    data: Any
    raw: msgspec.Raw
    epoch: str
    ck: bytes | None
    n: int | None

    @property
    def position(self) -> Position | None:
        """Where this record stands, to be stored with its effect; None without a chain value."""
        return None if self.ck is None else Position(self.epoch, self.seq, self.ck)


class Gap(msgspec.Struct, frozen=True):
    """
    Records that do not come: ``first`` to ``last``, or an unknown number.

    ``count`` is None when nobody can know it; then ``previous`` is the last position that was
    told to the server (epoch, seq, ck). Delivery goes on at ``next``.
    """

    topic: str
    epoch: str
    first: int | None
    last: int | None
    count: int | None
    reason: str
    next: int
    previous: dict[str, Any] | None = None


class Rewind(msgspec.Struct, frozen=True):
    """What was delivered above ``to`` is no longer in the log."""

    topic: str
    epoch: str
    to: int
    reason: str


class Receipt(msgspec.Struct, frozen=True):
    """
    The end of a topic, with what proves that everything was seen.

    ``is_verified``: the chain value was recomputed here from the raw records and is the same,
    and no record was missing since the subscription began. A receipt that is not ``is_final``
    belongs to a stop: the topic goes on when the session starts again.
    """

    topic: str
    epoch: str
    seq: int
    count: int
    ck: str
    reason: str
    is_final: bool
    is_verified: bool


class Standing(msgspec.Struct, frozen=True):
    """Where the session and this component stand."""

    session: str
    component: str


class TokenExpiring(msgspec.Struct, frozen=True):
    """The session token ends at ``at_ms`` (unix milliseconds); ``refresh`` brings another."""

    at_ms: int


class LogLevel(msgspec.Struct, frozen=True):
    """Somebody asks for this level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``."""

    level: str


class Published(msgspec.Struct, frozen=True):
    """Where records have gone: ``first`` to ``last`` of this epoch."""

    topic: str
    epoch: str
    first: int
    last: int


Event = Record | Gap | Rewind | Receipt


class Batch(msgspec.Struct, frozen=True):
    """Events of one topic in their order, and the cursor behind the last of them."""

    topic: str
    events: list[Event]
    cursor: Cursor | None
