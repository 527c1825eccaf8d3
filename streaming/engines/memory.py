"""Logs in the memory of this process: rings of records bounded by count, bytes and age."""

import asyncio
import secrets
from array import array
from collections import deque
from collections.abc import Callable, Collection, Sequence

from streaming.core import position, topics
from streaming.core.errors import OverCapacity
from streaming.core.position import CK_BYTES, Position
from streaming.core.rules import Keep, Rules
from streaming.engines.base import (
    FRAME_BYTES,
    FRAME_RECORDS,
    Engine,
    Key,
    Log,
    Producer,
    Record,
    Slice,
)
from streaming.engines.retention import Retention
from streaming.engines.rulebook import RuleBook
from streaming.engines.window import Window

# Dead places at the front are cut off when there are this many, and more than live ones.
DEAD_PLACES = 1024
SLACK = 32
"""A log at one of its bounds, or all of them at theirs, gives up one part in so many."""


class MemoryLog(Log):
    """
    One log in memory. Nothing here suspends.

    The arrays hold the records from ``_base`` on; those before ``start`` are dead, their data is
    gone and only their chain values remain until the front is cut off.
    """

    __slots__ = (
        "_ages",
        "_anchor",
        "_base",
        "_cks",
        "_data",
        "_engine",
        "_keep",
        "_ts",
        "_window",
        "bytes",
    )

    def __init__(self, key: Key, *, epoch: str, keep: Keep, engine: "MemoryEngine") -> None:
        self.key = key
        self.epoch = epoch
        self.start, self.head = 1, 0
        self.ck = self._anchor = position.genesis(key[1], epoch)
        self.bytes = 0
        self._base = 1
        self._ts = array("q")
        self._data: list[bytes] = []
        self._cks = bytearray()
        # Where the head was at times past (seconds), because the ts of a record is not its age.
        self._ages: deque[tuple[float, int]] = deque()
        self._window = Window()
        self._keep = keep
        self._engine = engine

    async def append(self, records: Sequence[Record], producer: Producer | None = None) -> Position:
        if producer is not None:
            found = self._window.find(producer)
            if found is not None:
                return found
        seq, ck, size = self.head, self.ck, 0
        chain = position.chain
        for ts, data in records:
            seq += 1
            ck = chain(ck, seq, data)
            self._ts.append(ts)
            self._data.append(data)
            self._cks += ck
            size += len(data)
        self.head, self.ck = seq, ck
        self.bytes += size
        self._engine.grew(self, size)
        keep = self._keep
        if seq - self.start >= keep.records or self.bytes > keep.bytes:
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
        begin = first - self._base
        data = self._data[begin : begin + limit]
        size = 0
        for count, item in enumerate(data):
            size += len(item)
            if size > max_bytes and count:
                del data[count:]
                break
        end = begin + len(data)
        return Slice(first, self._ts[begin:end].tolist(), data, self._ck_at(end))

    async def match(self, seq: int) -> bytes | None:
        if seq == self.head:
            return self.ck
        if not self.start - 1 <= seq < self.head:
            return None
        return self._ck_at(seq + 1 - self._base)

    async def seq_at(self, ts: int) -> int:
        for seq in range(self.start, self.head + 1):
            if self._ts[seq - self._base] >= ts:
                return seq
        return self.head + 1

    async def fence(self, expected: str, epoch: str) -> bool:
        if self.epoch != expected:
            return False
        self.epoch = epoch
        return True

    def keep(self, keep: Keep) -> None:
        """Keep within other bounds from now on."""
        self._keep = keep
        if self.head - self.start >= keep.records or self.bytes > keep.bytes:
            self._shrink()

    def trim(self, start: int) -> None:
        """Let go of the records before ``start``; the chain value before it remains."""
        for place in range(self.start - self._base, start - self._base):
            self.bytes -= len(self._data[place])
            self._data[place] = b""
        self.start = start
        dead = start - self._base
        if dead >= DEAD_PLACES and dead * 2 >= len(self._data):
            self._cut(dead)

    def expire(self, now: float) -> int:
        """Let go of what is older than the log keeps, and say how many bytes that were."""
        before, ages = self.bytes, self._ages
        while ages and ages[0][0] < now - self._keep.age_seconds:
            self.trim(max(self.start, ages.popleft()[1] + 1))
        if self.head >= self.start and (not ages or ages[-1][1] < self.head):
            ages.append((now, self.head))
        return before - self.bytes

    def _shrink(self) -> None:
        # To a little less than the bounds, so that not every append at a bound comes here.
        records = self._keep.records - self._keep.records // SLACK
        size = self._keep.bytes - self._keep.bytes // SLACK
        before = left = self.bytes
        start = self.start
        while start < self.head and (self.head - start >= records or left > size):
            left -= len(self._data[start - self._base])
            start += 1
        self.trim(start)
        self._engine.shrank(before - self.bytes)

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


class MemoryEngine(Engine):
    """The logs of this process; a restart begins new ones with new epochs."""

    def __init__(
        self,
        *,
        retention: Retention | None = None,
        rules: RuleBook | None = None,
        mint: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self.retention = retention or Retention()
        self.rules = rules or RuleBook()
        self.rules.listen(self._rule)
        self.bytes = 0
        self._mint = mint
        self._sessions: dict[str, dict[str, MemoryLog]] = {}
        # In the order of the last append: the first has been silent longest.
        self._silent: dict[MemoryLog, None] = {}
        self._moved: set[Key] = set()
        self._waiting: set[asyncio.Event] = set()

    async def open(self, key: Key) -> MemoryLog | None:
        session_id, name = key
        found = self._sessions.get(session_id, {}).get(name)
        if found is not None or topics.is_row(name):
            return found
        keep = self._keep_of(name, await self.rules.of(session_id))
        # Another call may have been first while the rules were read.
        return self._sessions.get(session_id, {}).get(name) or self._make(key, keep)

    def names(self, session_id: str) -> Collection[str]:
        return tuple(self._sessions.get(session_id, ()))

    async def wait(self, keys: Collection[Key], timeout_seconds: float) -> set[Key]:
        moved = asyncio.Event()
        self._waiting.add(moved)
        try:
            async with asyncio.timeout(timeout_seconds):
                while self._moved.isdisjoint(keys):
                    await moved.wait()
                    moved.clear()
        except TimeoutError:
            return set()
        finally:
            self._waiting.discard(moved)
        found = self._moved.intersection(keys)
        self._moved -= found
        return found

    def tidy(self, now: float) -> None:
        for logs in self._sessions.values():
            for log in logs.values():
                self.bytes -= log.expire(now)

    async def forget(self, session_id: str) -> None:
        for log in self._sessions.pop(session_id, {}).values():
            self.bytes -= log.bytes
            self._silent.pop(log, None)

    def grew(self, log: MemoryLog, size: int) -> None:
        """Count what was appended to a log of this engine, and keep the total within bounds."""
        self.bytes += size
        if self._waiting:
            self._moved.add(log.key)
            for waiting in self._waiting:
                waiting.set()
        self._silent.pop(log, None)
        self._silent[log] = None
        if self.bytes > self.retention.total_bytes:
            self._evict()

    def shrank(self, size: int) -> None:
        """Count what a log of this engine has let go."""
        self.bytes -= size

    def _make(self, key: Key, keep: Keep) -> MemoryLog:
        session_id, name = key
        logs = self._sessions.setdefault(session_id, {})
        if len(logs) >= self.retention.max_topics:
            raise OverCapacity("The session has too many topics.", topic=name)
        logs[name] = MemoryLog(key, epoch=self._mint(), keep=keep, engine=self)
        return logs[name]

    def _keep_of(self, name: str, rules: Rules) -> Keep:
        return rules.of(name).keep or self.retention.default

    def _rule(self, session_id: str, rules: Rules) -> None:
        for name, log in self._sessions.get(session_id, {}).items():
            log.keep(self._keep_of(name, rules))

    def _evict(self) -> None:
        goal = self.retention.total_bytes - self.retention.total_bytes // SLACK
        for log in list(self._silent):
            if self.bytes <= goal:
                return
            before = log.bytes
            log.trim(log.head + 1)
            self.bytes -= before - log.bytes
            del self._silent[log]
