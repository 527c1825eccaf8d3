"""Slices of a log with the frames made of them: made once, sent to all who stand there."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from streaming.core import frames
from streaming.engines.base import FRAME_BYTES, FRAME_RECORDS, Slice

if TYPE_CHECKING:
    from streaming.hub.line import Line

Message = dict[str, Any]
"""An ASGI ``websocket.send``; the same object goes to every subscriber."""


def message(text: str) -> Message:
    """Wrap the text of a frame for the server."""
    return {"type": "websocket.send", "text": text}


class Pack:
    """
    One slice; its frames are encoded when the first subscriber needs them.

    ``before`` is the chain value at ``first - 1``, by which it is seen that the slice follows on
    what a subscriber has; ``None`` where the log could not tell. ``is_cut`` says that the log gave
    less than it was asked for.
    """

    __slots__ = (
        "_batch",
        "_singles",
        "before",
        "ck",
        "count",
        "first",
        "is_cut",
        "last",
        "line",
        "size",
        "slice",
        "weight",
    )

    def __init__(
        self, line: "Line", cut: Slice, before: bytes | None, *, is_cut: bool = False
    ) -> None:
        self.line = line
        self.is_cut = is_cut
        self.slice = cut
        self.first = cut.first
        self.count = len(cut.data)
        self.last = cut.first + self.count - 1
        self.before = before
        self.ck = cut.ck
        self.size = sum(map(len, cut.data))
        # About what it takes: its frames hold the data as text and as bytes, and the objects are
        # not free.
        self.weight = 3 * self.size + 1024
        self._batch: Message | None = None
        self._singles: list[Message] | None = None

    @property
    def is_full(self) -> bool:
        """Whether a longer slice from here could not be had."""
        return self.is_cut or self.count >= FRAME_RECORDS or self.size >= FRAME_BYTES

    def batch(self) -> Message:
        """All records in one frame."""
        if self._batch is None:
            cut = self.slice
            self._batch = message(
                frames.batch(
                    alias=self.line.alias,
                    first=cut.first,
                    ts=cut.ts,
                    data=cut.data,
                    ck=cut.ck,
                    n=cut.n or (),
                )
            )
        return self._batch

    def singles(self) -> list[Message]:
        """Each record in a frame of its own."""
        if self._singles is None:
            topic, cut = self.line.topic, self.slice
            order: Sequence[int | None] = cut.n or (None,) * self.count
            self._singles = [
                message(frames.plain(topic, seq, ts, data, n))
                for seq, (ts, data, n) in enumerate(
                    zip(cut.ts, cut.data, order, strict=True), cut.first
                )
            ]
        return self._singles


class Shelf:
    """Keeps the packs of all lines within one budget; the oldest go first."""

    __slots__ = ("_bytes", "_limit", "_order")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._order: deque[Pack] = deque()

    def put(self, pack: Pack) -> None:
        pack.line.packs[pack.first] = pack
        self._order.append(pack)
        self._bytes += pack.weight
        while self._bytes > self._limit:
            self._drop(self._order.popleft())

    def clear(self) -> None:
        """Let go of every pack; whoever needs one reads it again."""
        for pack in self._order:
            self._drop(pack)
        self._order.clear()

    def _drop(self, pack: Pack) -> None:
        self._bytes -= pack.weight
        if pack.line.packs.get(pack.first) is pack:
            del pack.line.packs[pack.first]
