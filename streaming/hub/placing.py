"""Where subscriptions go on: the resume rule over a live log, and after a divergence."""

import contextlib
from collections.abc import Callable, Sequence

from streaming.core import frames, resume
from streaming.core.errors import TopicReadOnly
from streaming.core.position import Cursor
from streaming.core.resume import LogView, Placement, Start
from streaming.engines.base import Log
from streaming.hub import delivery
from streaming.hub.line import Line
from streaming.hub.subscription import Ending, Subscription

RETRIES = 3
LATEST = Start()
EARLIEST = Start("earliest")

Point = tuple[int, bytes]
"""A seq and the chain value there."""


async def place(log: Log, begin: Start, cursor: Cursor | None = None) -> Placement:
    """Ask a log what the resume rule wants to know, and apply it."""
    if begin.kind == "time":
        begin = Start("seq", await log.seq_at(begin.value))
    view = await _look(log, begin, cursor)
    for _ in range(RETRIES):
        # A log that lost an end or began anew meanwhile gave answers that do not go together.
        if (log.epoch, log.start) == (view.epoch, view.start) and view.head in view.ck:
            break
        view = await _look(log, begin, cursor)
    return resume.place(view, begin, cursor)


async def _look(log: Log, begin: Start, cursor: Cursor | None) -> LogView:
    epoch, start, head = log.epoch, log.start, log.head
    known = {}
    for seq in resume.points(start, head, begin, cursor):
        ck = await log.match(seq)
        if ck is not None:
            known[seq] = ck
    return LogView(epoch, start, head, known)


async def is_continued(line: Line) -> bool:
    """Whether the log still holds what it ended with at the last flush, in the same epoch."""
    log, last = line.log, line.trail[-1]
    if log.epoch != last.epoch or line.is_doubted:
        return False
    # Retention may have passed that point, which takes nothing back.
    return last.seq < log.start - 1 or await log.match(last.seq) == last.ck


async def follow(line: Line, mint: Callable[[], str]) -> None:
    """Bring a line up to its log before somebody is placed on it."""
    if not await is_continued(line):
        await reposition(line, mint)
    line.note_head()


async def reposition(line: Line, mint: Callable[[], str]) -> None:
    """
    Send every subscription through the resume rule: the log took something back, or began anew.

    When its epoch is still the old one, numbers are about to be used again: a new epoch is set,
    and whoever loses that race goes by the winner's.
    """
    log, last = line.log, line.trail[-1]
    if log.epoch == last.epoch:
        with contextlib.suppress(TopicReadOnly):
            await log.fence(last.epoch, mint())
    line.ending = _still(line)
    shared = await _shared(line)
    for subscription in tuple(line.subscriptions):
        placed = await _place_anew(subscription, shared)
        if subscription in line.subscriptions:
            _go_on(subscription, placed)
    line.restart_trail()


async def _shared(line: Line) -> list[Point]:
    # Where what was delivered and what the log holds now are still the same.
    if has_begun_anew(line.log, line.trail[-1].epoch):
        return []
    return [
        (seq, ck) for seq, ck in sorted(line.points().items()) if await line.log.match(seq) == ck
    ]


def has_begun_anew(log: Log, epoch: str) -> bool:
    """Whether this is a clock's topic that was set back: another epoch is another chain there."""
    return log.is_ordered and log.epoch != epoch


async def _place_anew(subscription: Subscription, shared: Sequence[Point]) -> Placement:
    log, cursor = subscription.line.log, subscription.cursor(shared)
    if subscription.is_ended:
        return await place(log, EARLIEST)
    if has_begun_anew(log, subscription.epoch):
        # From where the clock was set to, however far it has gone on since.
        return await place(log, EARLIEST, cursor)
    begin = LATEST if cursor is not None else Start("seq", subscription.next)
    return await place(log, begin, cursor)


def _go_on(subscription: Subscription, placed: Placement) -> None:
    connection = subscription.connection
    if subscription.is_ended:
        # What follows an END is another log; it is announced like a new topic.
        subscription.is_ended = False
        subscription.settle()
        subscription.move(placed)
        _announce(subscription, placed)
        return
    epoch = subscription.epoch
    _end_anew(subscription)
    delivery.tell(connection, subscription, placed)
    if placed.notice is None and subscription.epoch != epoch:
        # Nothing is missing, but the receipt will be of the new epoch.
        _announce(subscription, placed)


def _still(line: Line) -> Ending | None:
    # A log that has a new epoch and has lost nothing is over where it was.
    ending, log = line.ending, line.log
    if ending is None or (ending.position.seq, ending.position.ck) != (log.head, log.ck):
        return None
    return Ending(log.position, ending.reason, ending.final)


def _end_anew(subscription: Subscription) -> None:
    # An END that was still to come belongs to what is no more; who is released ends nevertheless.
    ending, line = subscription.ending, subscription.line
    if ending is not None and ending.position.epoch != line.log.epoch:
        is_released = subscription.connection.closing is not None
        still = Ending(line.log.position, ending.reason, ending.final)
        subscription.end_at(still if is_released else line.ending)


def _announce(subscription: Subscription, placed: Placement) -> None:
    connection = subscription.connection
    if connection.has_asked:
        connection.post(frames.subscribed(subscription.ref, [entry(subscription, placed)]))


def entry(subscription: Subscription, placed: Placement) -> frames.Frame:
    """Tell where a subscription stands, for SUBSCRIBED."""
    line = subscription.line
    return frames.entry(
        topic=line.key[1],
        alias=line.alias,
        epoch=line.log.epoch,
        start=line.log.start,
        head=line.log.head,
        placed=placed,
    )
