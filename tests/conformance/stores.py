"""The engines under conformance, each with the faults that its store can suffer."""

from streaming.core.position import CK_BYTES
from streaming.engines.base import Engine, Key, Log
from streaming.engines.memory import MemoryEngine, MemoryLog
from tests.hubs import SlowEngine


class Store:
    """
    An engine, and ways to hurt the store behind it.

    ``trim`` lets retention take the oldest record, ``rollback`` loses the newest while the epoch
    stays (an asynchronous replica takes over), ``wipe`` loses everything (a restart without
    persistence) and so begins a new epoch.
    """

    engine: Engine

    def mint(self) -> str:
        """A new epoch; a store counts them, so that a failure can be repeated."""
        self._epochs = getattr(self, "_epochs", 0) + 1
        return f"{self._epochs:016x}"

    async def open(self, key: Key) -> Log:
        log = await self.engine.open(key)
        assert log is not None
        return log

    async def trim(self, log: Log) -> None:
        raise NotImplementedError

    async def rollback(self, log: Log) -> None:
        raise NotImplementedError

    async def wipe(self, log: Log) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        """Leave nothing behind."""


class MemoryStore(Store):
    """Rings in the memory of the process. Its faults are made by hand: it has none of its own."""

    def __init__(self) -> None:
        self.engine = MemoryEngine(mint=self.mint)

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

    def __init__(self) -> None:
        self.engine = SlowEngine(mint=self.mint)


STORES = {"memory": MemoryStore, "waiting": WaitingStore}
