"""When lines are delivered: at once after quiet, then as fast as flushes take."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from streaming.hub import feeding, inline, placing
from streaming.hub.line import Line
from streaming.hub.packs import Message, Pack
from streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection

logger = logging.getLogger(__name__)


class Flusher:
    """
    Collects lines that moved and connections that have more to send, and serves them together.

    After a quiet spell that happens in the same turn of the loop; otherwise the floor, or the
    time that the flush before took, must have passed since that one. So batches grow by
    themselves when the process is busy. The totals say how it goes: flushes made and the
    seconds spent in them.
    """

    def __init__(self, *, floor_seconds: float, mint: Callable[[], str]) -> None:
        self.flushes = 0
        self.seconds = 0.0
        self._floor = floor_seconds
        self._mint = mint
        self._marked: list[Line] = []
        self._lagging: dict[Connection, None] = {}
        self._handle: asyncio.Handle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = self._took = 0.0

    def mark(self, line: Line) -> None:
        """Serve a line at the next flush: its log has moved."""
        if not line.is_marked and line.is_wanted:
            line.is_marked = True
            self._marked.append(line)
            if self._handle is None:
                self._schedule()

    def mark_moved(self, lines: Iterable[Line]) -> None:
        """Serve those lines whose logs have moved on, whoever moved them."""
        for line in lines:
            if line.log.head != line.head:
                self.mark(line)

    def again(self, connection: "Connection") -> None:
        """Pump a connection at the next flush."""
        self._lagging[connection] = None
        if self._handle is None:
            self._schedule()

    def flush(self) -> None:
        """Serve everything that waits, now."""
        if self._handle is not None:
            self._handle.cancel()
        self._flush()

    def stop(self) -> None:
        """Serve nothing any more."""
        for work in (self._handle, *self._tasks):
            if work is not None:
                work.cancel()

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._ended + max(self._floor, self._took)
        if loop.time() >= due:
            self._handle = loop.call_soon(self._flush)
        else:
            self._handle = loop.call_at(due, self._flush)

    def _flush(self) -> None:
        time = asyncio.get_running_loop().time
        began = time()
        self._handle = None
        marked, self._marked = self._marked, []
        lagging, self._lagging = self._lagging, {}
        for line in marked:
            line.is_marked = False
            try:
                self._serve(line, lagging)
            except Exception:  # one topic must not stop the others
                logger.exception("A topic could not be delivered", extra={"action": "flush_failed"})
        # Catching up is bounded by turns; waiting as long as it took would halve its speed.
        self._took = time() - began
        _pump(lagging)
        self._ended = time()
        self.flushes += 1
        self.seconds += self._ended - began

    def _serve(self, line: Line, lagging: "dict[Connection, None]") -> None:
        if line.is_turning:
            return
        is_continued, begun = inline.begin(placing.is_continued(line))
        if begun is None and is_continued:
            spread(line, lagging)
            return
        line.is_turning = True
        task = asyncio.create_task(self._serve_later(line, begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve_later(self, line: Line, begun: inline.Begun[bool] | None) -> None:
        # The engine has to be waited for, or the log has taken something back.
        try:
            if begun is None or not await begun:
                await placing.reposition(line, self._mint)
        except Exception:  # the next look at the log tries again
            logger.exception("A log could not be followed", extra={"action": "log_follow_failed"})
            return
        finally:
            line.is_turning = False
        lagging: dict[Connection, None] = {}
        spread(line, lagging)
        _pump(lagging)


def _pump(lagging: "dict[Connection, None]") -> None:
    for connection in lagging:
        connection.pump()
        connection.owner.stirred(connection)


def spread(line: Line, lagging: "dict[Connection, None]") -> None:
    """Deliver a line to all who can take it now; those who merge topics follow in ``lagging``."""
    is_ordered = line.log.is_ordered
    is_packed = bool(line.subscriptions) and not is_ordered
    before = line.head
    line.note_head()
    newest = line.pack(before + 1) if is_packed else None
    for listener in tuple(line.listeners):
        listener()
    if is_ordered:
        lagging.update((one.connection, None) for one in line.subscriptions)
    elif newest is None or newest.last < line.head:
        _feed(tuple(line.subscriptions))
    else:
        _feed(_send_newest(line, newest))


def _feed(subscriptions: Iterable[Subscription]) -> None:
    for subscription in subscriptions:
        connection = subscription.connection
        if connection.is_free and connection.is_open:
            feeding.feed(connection, subscription)
            if connection.closing is not None:
                connection.pump()


def _send_newest(line: Line, pack: Pack) -> list[Subscription]:
    # The path of almost every delivery, hence in one piece: the same frame to all who have
    # everything before it. The others are given back.
    first, before, epoch = pack.first, pack.before, line.log.epoch
    after, ck = pack.last + 1, pack.ck
    batch: Message | None = None
    single = pack.singles()[0] if pack.count == 1 else None
    others, sent = [], 0
    for one in tuple(line.subscriptions):
        connection = one.connection
        if (
            one.is_simple
            and one.next == first
            and one.ck == before
            and one.epoch == epoch
            and connection.is_free
            and connection.is_open
            and connection.feeding is None
            and (connection.is_batch or single)
        ):
            one.next, one.ck = after, ck
            connection.is_quiet = False
            sent += 1
            if single and not connection.is_batch:
                connection.put(single)
            else:
                connection.put(batch := batch or pack.batch())
        else:
            others.append(one)
    line.counters.deliveries += sent * pack.count
    return others
