"""One reader who takes a topic at its own pace, from a place on and to its end."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from streaming.core.position import Cursor, Position
from streaming.core.resume import Notice, Placement, Start
from streaming.engines.base import Key, Slice
from streaming.hub import placing
from streaming.hub.line import Line
from streaming.hub.packs import Pack
from streaming.hub.subscription import Ending
from streaming.hub.topics import Topics


@dataclass(frozen=True, slots=True)
class Turn:
    """
    What a reader gets next; nothing at all when nothing came for a beat.

    ``at`` is where it stands after that; its ``ck`` is empty where the log cannot prove the place.
    ``notice`` is what must be known before the records of ``cut``, whose chain begins at
    ``before``; ``ending`` is told after them.
    """

    at: Position
    before: bytes = b""
    notice: Notice | None = None
    cut: Slice | None = None
    ending: Ending | None = None

    @property
    def is_beat(self) -> bool:
        """Whether nothing came."""
        return self.notice is None and self.cut is None and self.ending is None


async def follow(
    hub: Topics, key: Key, begin: Start, cursor: Cursor | None = None, *, beat_seconds: float
) -> AsyncGenerator[Turn, None]:
    """
    What a topic has from there on and what comes, until the reader or the hub has enough.

    On the loop of the hub. There is no queue: a reader that is slow gets larger slices, and where
    retention passed it, a notice. Nothing is asked of the database while nothing moves.

    :raises TopicNotFound: when there is no such topic
    """
    line = await hub.board.find(key)
    moved = asyncio.Event()
    line.listeners.add(moved.set)
    try:
        await line.log.refresh()
        hub.flusher.mark(line)
        placed = await placing.place(line.log, begin, cursor)
        reader = Reader(line, _stand(line, placed))
        if placed.notice is not None:
            yield Turn(reader.at, notice=placed.notice)
        while not hub.is_over:
            moved.clear()
            turn = await reader.turn()
            if turn is None:
                turn = Turn(reader.at) if await _is_quiet(moved, beat_seconds) else None
            if turn is not None:
                yield turn
    finally:
        line.listeners.discard(moved.set)


class Reader:
    """Where one reader stands in a line."""

    def __init__(self, line: Line, at: Position) -> None:
        self.line = line
        self.at = at
        self._told: Ending | None = None

    async def turn(self) -> Turn | None:
        """What can be had now, if anything."""
        if self._is_lost() and (told := await self._place_anew()):
            return told
        if self.line.head > self.at.seq:
            return await self._read()
        ending = self.line.ending
        if ending is None or ending is self._told:
            return None
        self._told = ending
        return Turn(self.at, ending=ending)

    def _is_lost(self) -> bool:
        log = self.line.log
        return log.epoch != self.at.epoch or self.at.seq < log.start - 1

    async def _read(self) -> Turn | None:
        pack = self.line.pack(self.at.seq + 1)
        if pack is None:
            # It is being fetched; the listener is called when it is there.
            return None
        if not self._follows_on(pack):
            return await self._place_anew()
        before = pack.before or self.at.ck
        self.at = replace(self.at, seq=pack.last, ck=pack.ck)
        return Turn(self.at, before=before, cut=pack.slice)

    def _follows_on(self, pack: Pack) -> bool:
        return not self.at.ck or pack.before is None or pack.before == self.at.ck

    async def _place_anew(self) -> Turn | None:
        at = self.at
        cursor = Cursor(at.epoch, at.seq, at.ck)
        placed = await placing.place(self.line.log, placing.EARLIEST, cursor)
        self.at = _stand(self.line, placed)
        if placed.notice is None:
            return None
        return Turn(self.at, notice=placed.notice)


def _stand(line: Line, placed: Placement) -> Position:
    return Position(line.log.epoch, placed.next - 1, placed.ck or b"")


async def _is_quiet(moved: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await moved.wait()
    except TimeoutError:
        return True
    return False
