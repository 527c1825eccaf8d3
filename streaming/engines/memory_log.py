"""One log in the memory of this process: a ring of records, behind which there may be a tape."""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from streaming.core import position
from streaming.core.errors import TopicReadOnly
from streaming.core.position import CK_BYTES, Position
from streaming.core.rules import Keep
from streaming.engines.base import (
    FRAME_BYTES,
    FRAME_RECORDS,
    Key,
    Log,
    Producer,
    Record,
    Slice,
    within,
)
from streaming.engines.reel import Reel
from streaming.engines.tape import Taped
from streaming.engines.window import Window

LONG_AGO = -(2**63)
# Dead places at the front are cut off when there are this many, and more than live ones.
DEAD_PLACES = 1024
SLACK = 32
"""A log at one of its bounds, or all of them at theirs, gives up one part in so many."""


class Owner(Protocol):
    """The engine, as its logs know it."""

    def grew(self, log: "MemoryLog", size: int) -> None:
        """Count what was appended to a log, in bytes."""

    def shrank(self, size: int) -> None:
        """Count what a log has let go, in bytes."""


class MemoryLog(Log):
    """
    One log in memory. Nothing here suspends, except where a tape has to be asked.

    ``ring`` is the first record in memory; ``start`` lies before it where the log is recorded. The
    arrays hold the records from ``_base`` on; those before ``ring`` are dead, their data is gone
    and only their chain values remain until the front is cut off. What is not on the tape yet
    stays in memory.
    """

    __slots__ = (
        "_ages",
        "_anchor",
        "_base",
        "_cks",
        "_data",
        "_engine",
        "_keep",
        "_ordered",
        "_ts",
        "_window",
        "bytes",
        "reel",
        "ring",
    )

    def __init__(self, key: Key, *, epoch: str, keep: Keep, engine: Owner) -> None:
        self.key = key
        self.reel: Reel | None = None
        self.bytes = 0
        self._keep = keep
        self._engine = engine
        self.restore(Taped(epoch, 1, 0, position.genesis(key[1], epoch)))

    def restore(self, taped: Taped) -> None:
        """Be what the tape holds, with nothing in memory."""
        self._engine.shrank(self.bytes)
        self.bytes = 0
        self.epoch, self.start, self.head = taped.epoch, taped.start, taped.head
        self.ck = self._anchor = taped.ck
        self.ring = self._base = taped.head + 1
        self._ts = array("q")
        # From which seq on no time is before the one before it: clocks may be set back.
        self._ordered = taped.head + 1
        self._data: list[bytes] = []
        self._cks = bytearray()
        # Where the head was at times past (seconds), because the ts of a record is not its age.
        self._ages: deque[tuple[float, int]] = deque()
        self._window = Window()

    def begin(self) -> Taped:
        """Where a tape of what is in memory begins, with nothing on it."""
        return Taped(self.epoch, self.ring, self.ring - 1, self._ck_at(self.ring - self._base))

    def unrecord(self) -> None:
        """Be what is in memory, and on no tape."""
        self.reel, self.start = None, self.ring

    def cut(self, start: int) -> None:
        if self.reel is not None:
            self.reel.cut(start)

    @property
    def is_recorded(self) -> bool:
        return self.reel is not None

    @property
    def is_prompt(self) -> bool:
        return self.reel is None or self.reel.is_owned

    async def append(self, records: Sequence[Record], producer: Producer | None = None) -> Position:
        if self.reel is not None:
            await self.reel.admit(self.bytes)
        if producer is not None:
            found = self._window.find(producer)
            if found is not None:
                return found
        seq, ck, size = self.head, self.ck, 0
        chain, before = position.chain, self._ts[-1] if self._ts else LONG_AGO
        for ts, data in records:
            seq += 1
            if ts < before:
                self._ordered = seq
            before = ts
            ck = chain(ck, seq, data)
            self._ts.append(ts)
            self._data.append(data)
            self._cks += ck
            size += len(data)
        self.head, self.ck = seq, ck
        self.bytes += size
        self._engine.grew(self, size)
        keep = self._keep
        if seq - self.ring >= keep.records or self.bytes > keep.bytes:
            self._shrink()
        end = Position(self.epoch, seq, ck)
        if producer is not None:
            self._window.note(producer, end)
        return end

    async def read(
        self,
        after: int,
        *,
        limit: int = FRAME_RECORDS,
        max_bytes: int = FRAME_BYTES,
        below_n: int | None = None,
    ) -> Slice | None:
        first = max(after + 1, self.start)
        if first > self.head:
            return None
        if first < self.ring and self.reel is not None:
            return await self.reel.read(first, limit=limit, max_bytes=max_bytes)
        begin = first - self._base
        data = self._data[begin : begin + limit]
        del data[within(data, max_bytes) :]
        end = begin + len(data)
        return Slice(first, self._ts[begin:end].tolist(), data, self._ck_at(end))

    async def match(self, seq: int) -> bytes | None:
        if seq == self.head:
            return self.ck
        if self.ring - 1 <= seq < self.head:
            return self._ck_at(seq + 1 - self._base)
        if self.reel is None or not self.start - 1 <= seq < self.head:
            return None
        return await self.reel.match(seq)

    async def seq_at(self, ts: int) -> int:
        taped = await self.reel.seq_at(ts) if self.start < self.ring and self.reel else None
        if taped is not None:
            return taped
        # Usually there is none before the ordered part.
        for seq in range(self.ring, self._ordered):
            if self._ts[seq - self._base] >= ts:
                return seq
        begin = max(self.ring, self._ordered) - self._base
        return self._base + bisect_left(self._ts, ts, begin)

    async def fence(self, expected: str, epoch: str) -> bool:
        if self.epoch != expected:
            return False
        if self.reel is not None and not self.reel.is_owned:
            raise TopicReadOnly(topic=self.key[1])
        self.epoch = epoch
        if self.reel is not None:
            # Of what the tape has under the old epoch nobody knows whether it was lost.
            self.start = self.ring
            self.reel.begin_anew()
        return True

    def keep(self, keep: Keep) -> None:
        """Keep within other bounds from now on."""
        self._keep = keep
        if self.head - self.ring >= keep.records or self.bytes > keep.bytes:
            self._shrink()

    def trim(self, start: int) -> None:
        """Let go of the records before ``start``; the chain value before it remains."""
        start = min(start, self._floor)
        for place in range(self.ring - self._base, start - self._base):
            self.bytes -= len(self._data[place])
            self._data[place] = b""
        self.ring = max(start, self.ring)
        if self.reel is None:
            self.start = self.ring
        dead = self.ring - self._base
        if dead >= DEAD_PLACES and dead * 2 >= len(self._data):
            self._cut(dead)

    def expire(self, now: float) -> int:
        """Let go of what is older than the log keeps, and say how many bytes that were."""
        before, ages = self.bytes, self._ages
        while ages and ages[0][0] < now - self._keep.age_seconds:
            self.trim(max(self.ring, ages.popleft()[1] + 1))
        if self.head >= self.ring and (not ages or ages[-1][1] < self.head):
            ages.append((now, self.head))
        return before - self.bytes

    def _shrink(self) -> None:
        # To a little less than the bounds, so that not every append at a bound comes here.
        records = self._keep.records - self._keep.records // SLACK
        size = self._keep.bytes - self._keep.bytes // SLACK
        before = left = self.bytes
        start, last = self.ring, min(self.head, self._floor)
        while start < last and (self.head - start >= records or left > size):
            left -= len(self._data[start - self._base])
            start += 1
        self.trim(start)
        self._engine.shrank(before - self.bytes)

    @property
    def _floor(self) -> int:
        # What may be let go ends before this.
        return self.head + 1 if self.reel is None else self.reel.taped.head + 1

    def _cut(self, dead: int) -> None:
        self._anchor = self._ck_at(dead)
        del self._data[:dead]
        del self._ts[:dead]
        del self._cks[: dead * CK_BYTES]
        self._base += dead

    def _ck_at(self, place: int) -> bytes:
        # The chain value before the record at this place of the arrays.
        return (
            bytes(self._cks[(place - 1) * CK_BYTES : place * CK_BYTES]) if place else self._anchor
        )
