"""The log of one topic of a historical source: a view, never stored."""

from typing import ClassVar

from streaming.core.errors import SourceUnreadable
from streaming.engines.base import FRAME_BYTES, FRAME_RECORDS, Key, Log, Slice
from streaming.engines.replay_history import History
from streaming.engines.replay_span import Span
from streaming.engines.replay_window import Window
from streaming.sources.blocks import Place


class ReplayLog(Log):
    """
    One topic up to the clock; ``start`` is 1, or where the clock was last set to.

    Calls for what the window holds never suspend; older records, and chain values anywhere in
    the range, are read from the files again.
    """

    __slots__ = ("history", "index", "window")

    is_ordered: ClassVar[bool] = True

    def __init__(
        self,
        key: Key,
        *,
        epoch: str,
        index: int,
        start: int,
        place: Place,
        window: Window,
        history: History,
    ) -> None:
        self.key = key
        self.epoch = epoch
        self.start = start
        self.head = place.taken
        self.ck = place.taken_ck
        self.index = index
        self.window = window
        self.history = history

    @property
    def _span(self) -> Span:
        return self.window.spans[self.index]

    def show(self) -> int:
        """Move the head to where the clock stands; by how many records."""
        span = self._span
        head = span.seq_by(self.window.n)
        count = head - self.head
        if count:
            self.head, self.ck = head, span.ck_at(head)
        return count

    def follow(self, other: "ReplayLog") -> None:
        """Become what ``other`` is: the same topic in a newer view of the session."""
        self.epoch, self.start = other.epoch, other.start
        self.head, self.ck = other.head, other.ck
        self.index, self.window, self.history = other.index, other.window, other.history

    async def read(
        self,
        after: int,
        *,
        limit: int = FRAME_RECORDS,
        max_bytes: int = FRAME_BYTES,
        below_n: int | None = None,
    ) -> Slice | None:
        """
        The records that follow ``after``; see :meth:`base.Log.read`.

        :raises SourceUnreadable: when a file that must be read again is gone or has changed
        """
        if after >= self.head:
            return None
        span = await self._span_with(after + 1)
        if span is None:
            return None
        return span.cut(after, head=self.head, limit=limit, max_bytes=max_bytes, below_n=below_n)

    async def match(self, seq: int) -> bytes | None:
        """The chain value at ``seq``, also of a record that the clock has not reached."""
        if seq >= self.start and self._span.has(seq):
            return self._span.ck_at(seq)
        if seq == self.head:
            return self.ck
        return await self.history.ck(self.index, seq) if seq >= 0 else None

    async def seq_at(self, ts: int) -> int:
        """The seq of the first record at or after ``ts`` (unix ms), else ``head + 1``."""
        span = self._span
        if span.first == self.start or (span.ts and span.ts[0] < ts):
            found = span.seq_at(ts)
        else:
            found = await self.history.seq_at(self.index, ts)
        return max(self.start, min(found, self.head + 1))

    async def n_of(self, seq: int) -> int | None:
        """The ``n`` of a record that the clock has reached."""
        if not self.start <= seq <= self.head:
            return None
        span = await self._span_with(seq)
        return span.n_at(seq) if span else None

    async def _span_with(self, seq: int) -> Span | None:
        if seq >= self._span.first:
            return self._span
        window = self.window
        span = await self.history.span(self.index, seq)
        if self.window is not window:
            # The log follows another view by now: what was read is not in it.
            return None
        if span is None:
            raise SourceUnreadable("The files have changed.", topic=self.key[1])
        return span
