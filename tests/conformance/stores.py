"""The engines under conformance, each with the faults that its store can suffer."""

import asyncio
import os
from typing import Any

import redis

from streaming.core.position import CK_BYTES
from streaming.engines.base import Engine, Key, Log
from streaming.engines.memory import MemoryEngine
from streaming.engines.memory_log import MemoryLog
from streaming.engines.valkey import ValkeyEngine
from streaming.engines.valkey_log import ValkeyLog
from tests.engines import SlowEngine
from tests.hubs import until


class Store:
    """
    An engine, and ways to hurt the store behind it.

    ``trim`` lets retention take the oldest record, ``rollback`` loses the newest while the epoch
    stays (an asynchronous replica takes over), ``wipe`` loses everything (a restart without
    persistence) and so begins a new epoch.

    An engine that ``is_fencing`` begins a new epoch by itself when it sees that its store has lost
    something; the others leave that to the hub. What ``is_kept`` outlives the forgetting.
    ``walks`` is how many random orders of faults it is put to.
    """

    engine: Engine
    is_fencing = False
    is_kept = False
    walks = 40

    def mint(self) -> str:
        """A new epoch; a store counts them, so that a failure can be repeated."""
        self._epochs = getattr(self, "_epochs", 0) + 1
        return f"{self._epochs:016x}"

    async def open(self, key: Key) -> Log:
        log = await self.engine.open(key)
        assert log is not None
        return log

    async def elsewhere(self, key: Key) -> Log:
        """The log as another process has it, where there can be another."""
        return await self.open(key)

    async def settle(self) -> None:
        """Let everything happen that the engine has begun."""
        for _ in range(12):
            await asyncio.sleep(0)

    async def trim(self, log: Log) -> None:
        raise NotImplementedError

    async def rollback(self, log: Log) -> None:
        raise NotImplementedError

    async def wipe(self, log: Log) -> None:
        raise NotImplementedError

    async def away(self, log: Log, harm: str) -> None:
        """The store cannot be reached for a moment, and meanwhile loses what ``harm`` says."""
        if harm:
            await getattr(self, harm)(log)

    async def crash(self) -> None:
        """The process is killed; its engine is another one afterwards."""

    async def renew(self) -> None:
        """The same after an end in order, with which the engine was closed."""
        await self.crash()

    async def close(self) -> None:
        """Leave nothing behind."""


class MemoryStore(Store):
    """Rings in the memory of the process. Its faults are made by hand: it has none of its own."""

    def __init__(self) -> None:
        self.engine = self.make()

    def make(self) -> MemoryEngine:
        return MemoryEngine(mint=self.mint)

    async def crash(self) -> None:
        self.engine = self.make()

    async def trim(self, log: Log) -> None:
        assert isinstance(log, MemoryLog)
        log.trim(log.start + 1)

    async def rollback(self, log: Log) -> None:
        assert isinstance(log, MemoryLog)
        log._data.pop()
        log._ts.pop()
        del log._cks[-CK_BYTES:]
        log.head -= 1
        log.ck = log._ck_at(log.head + 1 - log._base)

    async def wipe(self, log: Log) -> None:
        assert isinstance(log, MemoryLog)
        log.__init__(log.key, epoch=self.mint(), keep=log._keep, engine=self.engine)  # type: ignore[misc]


class WaitingStore(MemoryStore):
    """The same, behind a connection that has to be waited for at every question."""

    def make(self) -> MemoryEngine:
        return SlowEngine(mint=self.mint)


# As an asynchronous replica would stand that takes over one record too early.
ROLLBACK = """
local found = redis.call('XRANGE', KEYS[2], '-', '+')
redis.call('DEL', KEYS[2])
for place = 1, #found - 1 do
  redis.call('XADD', KEYS[2], found[place][1], unpack(found[place][2]))
end
local last = found[#found - 1]
redis.call('HSET', KEYS[1], 'h', string.match(last[1], '^%d+'), 'c', last[2][6], 'z', last[2][8])
"""
TRIM = """
local start = redis.call('HGET', KEYS[1], 's')
redis.call('XTRIM', KEYS[2], 'MINID', start)
local anchor = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1][2]
redis.call('HSET', KEYS[1], 's', string.format('%.0f', start + 1), 'a', anchor[6])
"""


class ValkeyStore(Store):
    """A real Valkey; what is lost in it is lost for all processes."""

    is_fencing = True
    walks = 30

    def __init__(self) -> None:
        url = os.environ["AEGIS_TEST_REDIS_URL"]
        self.engine = self.valkey = ValkeyEngine(url, mint=self.mint)
        self.others: list[ValkeyEngine] = []
        self.url = url
        self.server = redis.Redis.from_url(url)
        self.server.flushdb()

    async def elsewhere(self, key: Key) -> Log:
        if not self.others:
            self.others.append(ValkeyEngine(self.url, mint=self.mint))
        log = await self.others[0].open(key)
        assert log is not None
        return log

    async def settle(self) -> None:
        await super().settle()
        while self.valkey.link.is_busy:
            await super().settle()

    async def trim(self, log: Log) -> None:
        self.run(TRIM, log)
        await log.refresh()

    async def rollback(self, log: Log) -> None:
        self.run(ROLLBACK, log)
        await log.refresh()

    async def wipe(self, log: Log) -> None:
        self.server.flushdb()
        await log.refresh()

    async def away(self, log: Log, harm: str) -> None:
        links = [one.link for one in (self.valkey, *self.others)]
        before = [link.losses for link in links]
        self.cut()
        if harm == "rollback":
            self.run(ROLLBACK, log)
        elif harm == "wipe":
            self.server.flushdb()
        for link, losses in zip(links, before, strict=True):
            await until(lambda link=link, losses=losses: link.losses > losses and not link.lost_at)

    def cut(self) -> None:
        """End every connection to our database but our own."""
        own, database = self.server.client_id(), self.server.get_connection_kwargs()["db"]
        clients: Any = self.server.client_list()
        for client in clients:
            if int(client["db"]) == database and int(client["id"]) != own:
                self.server.client_kill_filter(_id=client["id"])

    async def crash(self) -> None:
        for log in list(self.valkey._logs.values()):
            if log._writer._task is not None:
                log._writer._task.cancel()
        await self.valkey.close()
        self.engine = self.valkey = ValkeyEngine(self.url, mint=self.mint)

    def run(self, script: str, log: Log) -> Any:
        assert isinstance(log, ValkeyLog)
        return self.server.eval(script, len(log.keys), *log.keys)

    async def close(self) -> None:
        for engine in (self.valkey, *self.others):
            await engine.close()
        self.server.close()


STORES = {"memory": MemoryStore, "waiting": WaitingStore, "valkey": ValkeyStore}
