"""Engines for tests of the hub: a store that has to be waited for, and a source with a clock."""

import asyncio
import json

from streaming.core import position
from streaming.engines.base import Engine, Log, Slice
from streaming.engines.memory import MemoryEngine
from streaming.engines.memory_log import MemoryLog
from tests.hubs import SESSION


class SlowLog(MemoryLog):
    """A log behind a store that has to be waited for."""

    __slots__ = ()

    async def read(self, *args, **options):
        await asyncio.sleep(0)
        return await super().read(*args, **options)

    async def match(self, seq):
        await asyncio.sleep(0)
        return await super().match(seq)


class SlowEngine(MemoryEngine):
    """A store that is written elsewhere: it has to be waited for, and watched."""

    is_shared = True

    def _make(self, key, keep):
        log = super()._make(key, keep)
        log.__class__ = SlowLog
        return log


class ClockLog(Log):
    """One topic of a made-up source: its records are given with their ``n``, up to the clock."""

    is_ordered = True

    def __init__(self, key, records, *, epoch="c" * 16):
        self.key, self.epoch = key, epoch
        self.start, self.head = 1, 0
        self.items = [(n, json.dumps(value).encode()) for n, value in records]
        self.cks = [position.genesis(key[1], epoch)]
        for seq, (_, data) in enumerate(self.items, 1):
            self.cks.append(position.chain(self.cks[-1], seq, data))
        self.ck = self.cks[0]

    def show(self, n):
        self.head = sum(1 for at, _ in self.items if at <= n)
        self.ck = self.cks[self.head]

    async def read(self, after, *, limit=256, max_bytes=65536, below_n=None):
        await asyncio.sleep(0)
        picked = self.items[after : min(self.head, after + limit)]
        if below_n is not None:
            picked = [item for item in picked if item[0] < below_n]
        if not picked:
            return None
        ns, data = [n for n, _ in picked], [data for _, data in picked]
        return Slice(after + 1, [1000 + n for n in ns], data, self.cks[after + len(data)], ns)

    async def match(self, seq):
        return self.cks[seq] if 0 <= seq < len(self.cks) else None

    async def seq_at(self, ts):
        return next(
            (seq for seq, (n, _) in enumerate(self.items, 1) if 1000 + n >= ts), self.head + 1
        )

    async def n_of(self, seq):
        await asyncio.sleep(0)
        return self.items[seq - 1][0] if 1 <= seq <= self.head else None


class ClockEngine(Engine):
    """A historical source of a few topics with one clock."""

    is_shared = True

    def __init__(self, topics, session=SESSION):
        self.session = session
        self.logs = {name: ClockLog((session, name), records) for name, records in topics.items()}
        self.moved = asyncio.Event()

    def advance(self, n):
        for log in self.logs.values():
            log.show(n)
        self.moved.set()

    async def open(self, key):
        return self.logs.get(key[1]) if key[0] == self.session else None

    def names(self, session_id):
        return tuple(self.logs) if session_id == self.session else ()

    async def wait(self, keys, timeout_seconds):
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.moved.wait()
        except TimeoutError:
            return set()
        self.moved.clear()
        return {log.key for log in self.logs.values()}

    async def forget(self, session_id):
        self.logs.clear()
