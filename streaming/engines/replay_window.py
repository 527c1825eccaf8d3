"""The records of a source that are in memory: some behind the clock, some ahead of it."""

from array import array
from bisect import bisect_right
from collections import deque
from typing import NamedTuple

from streaming.engines.replay_span import Span
from streaming.sources.clock import Batch, Mark


class _Run(NamedTuple):
    """What a batch weighs, and the times of its records in clock order (unix ms)."""

    first: int
    last: int
    size: int
    clock: "array[int]"
    mark: Mark


class Window:
    """
    One span for each topic, all of them over the same stretch of the clock order.

    What lies behind the clock is let go, oldest first, when there are more than ``max_records``
    or ``max_bytes`` of data; what lies ahead is never let go. ``n`` and ``ts`` (unix ms) are those
    of the last record the clock has reached, ``last`` the ``n`` of the last one in memory,
    ``passed`` the last mark that the clock has reached.
    """

    def __init__(self, mark: Mark, *, max_records: int, max_bytes: int) -> None:
        self.spans = [Span(place.taken + 1) for place in mark.places]
        self.n = self.last = mark.n
        self.ts: int | None = mark.ts or None
        self.passed = mark
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records = self._bytes = 0
        self._behind: deque[_Run] = deque()
        self._ahead: deque[_Run] = deque()

    def add(self, batch: Batch) -> None:
        """Put the batch that follows ahead of the clock."""
        for part in batch.parts:
            self.spans[part.topic].extend(part)
        times = array("q", batch.clock)
        self._ahead.append(_Run(batch.first, batch.last, batch.size, times, batch.mark))
        self._records += len(batch.clock)
        self._bytes += batch.size
        self.last = batch.last

    def next_ts(self) -> int | None:
        """The time of the first record ahead of the clock (unix ms), if there is one."""
        if not self._ahead:
            return None
        run = self._ahead[0]
        return run.clock[self.n + 1 - run.first]

    def reach(self, *, until_ts: int | None, up_to: int | None) -> int:
        """
        Where the clock can go at once: at most ``up_to`` (an ``n``) and ``until_ts`` (unix ms).

        It may be able to go on from there.
        """
        if not self._ahead:
            return self.n
        run = self._ahead[0]
        n = run.last if up_to is None else min(run.last, up_to)
        if until_ts is not None:
            n = min(n, run.first - 1 + bisect_right(run.clock, until_ts))
        return max(n, self.n)

    def move(self, n: int) -> None:
        """Set the clock behind record ``n``, which :meth:`reach` gave."""
        while self._ahead and self._ahead[0].first <= n:
            run = self._ahead[0]
            self.ts = run.clock[min(n, run.last) - run.first]
            if n < run.last:
                break
            self.passed = run.mark
            self._behind.append(self._ahead.popleft())
        self.n = n
        self._forget()

    def _forget(self) -> None:
        # An eighth at a time: cutting moves all that stays.
        if self._records <= self._max_records * 9 // 8 and self._bytes <= self._max_bytes * 9 // 8:
            return
        gone = None
        while self._behind and (self._records > self._max_records or self._bytes > self._max_bytes):
            gone = self._behind.popleft()
            self._records -= len(gone.clock)
            self._bytes -= gone.size
        if gone:
            for span in self.spans:
                span.forget(gone.last)
