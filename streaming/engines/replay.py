"""A session's source as its clock lets it be seen: one view, a log for each topic."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from streaming.core.position import Position
from streaming.engines.base import Key
from streaming.engines.replay_history import History
from streaming.engines.replay_log import ReplayLog
from streaming.engines.replay_reading import away
from streaming.engines.replay_window import Window
from streaming.sources import checkpoint as checkpoints
from streaming.sources import clock
from streaming.sources.blocks import RowReport
from streaming.sources.clock import Mark, Merge
from streaming.sources.source import Source

WINDOW_RECORDS = 65_536
WINDOW_BYTES = 32 * 2**20
AHEAD_RECORDS = 4096
"""With fewer than this loaded ahead of the clock, more is read in the background."""


class Upcoming(NamedTuple):
    """The next record of the clock order: its place and its time (unix ms)."""

    n: int
    ts: int


class ReplayView:
    """
    All topics of a source, visible up to record ``n`` of the clock order and not beyond.

    A driver opens it, looks what comes (:meth:`peek`), lets the clock run (:meth:`advance`) and
    saves ``n``, ``ts`` and :meth:`checkpoint`; another process that serves the same session may
    follow it with ``advance(count=…)``. ``ts`` is the time of record ``n`` (unix ms), ``None``
    until one was shown here. ``report`` counts the bad rows that were met. Any record can be read
    and any chain value be proven, from memory or else from the files again. One event loop, one
    advance at a time.
    """

    @classmethod
    async def open(
        cls,
        source: Source,
        *,
        session_id: str,
        epochs: Mapping[str, str],
        n: int = 0,
        checkpoint: Any = None,
        base: Any = None,
        generation: int = 0,
        window_records: int = WINDOW_RECORDS,
        window_bytes: int = WINDOW_BYTES,
    ) -> Self:
        """
        The view with its clock behind record ``n``, or at the end if the source is shorter.

        ``epochs`` are those of the topics' Log rows. With the ``checkpoint`` that a view of the
        same files and epochs gave, the way to ``n`` is short; without, everything before is read.
        ``base`` is such a checkpoint, too: where the clock was set to, which is where the logs
        begin. ``generation`` says which of several views of a session this is.

        :raises SourceUnreadable: when a file is gone or may not be read
        """
        fingerprint = await away(source.topics, source.fingerprint, epochs)
        begin = checkpoints.read(base, fingerprint=fingerprint)
        begin = begin or clock.beginning(source.topics, epochs=epochs)
        mark = checkpoints.read(checkpoint, fingerprint=fingerprint)
        if mark is None or not begin.n <= mark.n <= n:
            mark = begin
        window = Window(mark, max_records=window_records, max_bytes=window_bytes)
        history = History(source.topics, epochs=epochs, base=begin, mark=mark)
        view = cls(source, session_id=session_id, epochs=epochs, window=window, history=history)
        view.fingerprint, view.generation = fingerprint, generation
        await view.advance(count=n - view.n)
        return view

    def __init__(
        self,
        source: Source,
        *,
        session_id: str,
        epochs: Mapping[str, str],
        window: Window,
        history: History,
    ) -> None:
        mark = window.passed
        self.source = source
        self.session_id = session_id
        self.epochs = epochs
        self.report = RowReport()
        self.fingerprint = ""
        self.generation = 0
        self.on_moved: Callable[[list[Key]], None] | None = None
        self._window = window
        self._merge = Merge(source.topics, epochs=epochs, mark=mark, report=self.report)
        self._history = history
        self._is_read = False
        self._loading: asyncio.Task[None] | None = None
        self.logs = [
            ReplayLog(
                (session_id, topic.topic),
                epoch=epochs[topic.topic],
                index=index,
                start=history.base.places[index].taken + 1,
                place=mark.places[index],
                window=window,
                history=self._history,
            )
            for index, topic in enumerate(source.topics)
        ]

    @property
    def topics(self) -> list[str]:
        """The names of its topics, in clock order."""
        return [log.key[1] for log in self.logs]

    @property
    def n(self) -> int:
        return self._window.n

    @property
    def ts(self) -> int | None:
        return self._window.ts

    @property
    def is_exhausted(self) -> bool:
        """Whether the clock is known to have reached the end of the range."""
        return self._is_read and self._window.last == self.n

    async def peek(self) -> Upcoming | None:
        """
        The record that the clock comes to next, or ``None`` at the end of the range.

        :raises SourceUnreadable: when a file is gone or may not be read; a later call tries again
        """
        while (ts := self._window.next_ts()) is None and not self._is_read:
            await self._load()
        return None if ts is None else Upcoming(self.n + 1, ts)

    async def advance(
        self, *, until_ts: int | None = None, count: int | None = None
    ) -> dict[str, int]:
        """
        Let the clock run, and tell how many records became visible, by topic.

        It runs to the last record at or before ``until_ts`` (unix ms) and at most ``count``
        records on; without either, to the end. Heads move as the records are loaded, so a long
        way is seen in steps.

        :raises SourceUnreadable: when a file is gone or may not be read; what was shown stays
        """
        up_to = None if count is None else self.n + count
        moved: Counter[str] = Counter()
        while up_to is None or self.n < up_to:
            upcoming = await self.peek()
            n = self._window.reach(until_ts=until_ts, up_to=up_to)
            if upcoming is None or n == self.n:
                break
            moved.update(self._show(n))
        return dict(moved)

    async def mark_before(self, ts: int) -> Mark:
        """
        Where the clock would stand before the first record at or after ``ts`` (unix ms).

        Ahead of the clock everything up to there is read, behind it what follows a mark near by.

        :raises SourceUnreadable: when a file is gone or may not be read
        """
        return await self._history.mark_before(ts)

    def receipts(self) -> dict[str, Position]:
        """Where each topic stands: its seq is also the count of its records."""
        return {log.key[1]: log.position for log in self.logs}

    def checkpoint(self) -> dict[str, Any]:
        """What :meth:`open` needs to come back to ``n`` quickly, as JSON data."""
        return checkpoints.write(self._window.passed, fingerprint=self.fingerprint)

    async def close(self) -> None:
        """Wait until nothing is being read for the clock; the view is not used again."""
        if self._loading:
            await asyncio.gather(self._loading, return_exceptions=True)

    def _show(self, n: int) -> dict[str, int]:
        self._window.move(n)
        moved = {log.key: count for log in self.logs if (count := log.show())}
        if self.on_moved:
            self.on_moved(list(moved))
        self._look_ahead()
        return {key[1]: count for key, count in moved.items()}

    def _look_ahead(self) -> None:
        if self._is_read or self._window.last - self.n >= AHEAD_RECORDS:
            return
        if self._loading is None:
            self._loading = asyncio.create_task(self._read())

    async def _load(self) -> None:
        if self._loading is None:
            self._loading = asyncio.create_task(self._read())
        task = self._loading
        try:
            # A cancelled caller must not take the batch away from the next one.
            await asyncio.shield(task)
        finally:
            if task.done() and self._loading is task:
                self._loading = None

    async def _read(self) -> None:
        batch = await away(self.source.topics, self._merge.read)
        if batch is None:
            self._is_read = True
        else:
            self._history.note(batch)
            self._window.add(batch)
        # A failed task stays, so that whoever loads next is told.
        self._loading = None
