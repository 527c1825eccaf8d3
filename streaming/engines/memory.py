"""Logs in the memory of this process: rings of records bounded by count, bytes and age."""

import asyncio
import secrets
from collections.abc import Callable, Collection

from streaming.core import topics
from streaming.core.errors import OverCapacity
from streaming.core.rules import Keep, Rule, Rules
from streaming.engines.base import Engine, Key
from streaming.engines.memory_log import SLACK, MemoryLog
from streaming.engines.retention import Retention
from streaming.engines.rulebook import RuleBook


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
        found = self.held(key)
        if found is not None or topics.is_row(key[1]):
            return found
        return await self._begin(key, (await self.rules.of(key[0])).of(key[1]))

    def held(self, key: Key) -> MemoryLog | None:
        """The log of this key, if it is open."""
        return self._sessions.get(key[0], {}).get(key[1])

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

    async def _begin(self, key: Key, rule: Rule) -> MemoryLog:
        # Another call may have been first while the rules were read.
        return self.held(key) or self._make(key, rule.keep or self.retention.default)

    def _make(self, key: Key, keep: Keep) -> MemoryLog:
        session_id, name = key
        logs = self._sessions.setdefault(session_id, {})
        if len(logs) >= self.retention.max_topics:
            raise OverCapacity("The session has too many topics.", topic=name)
        logs[name] = MemoryLog(key, epoch=self._mint(), keep=keep, engine=self)
        return logs[name]

    def _rule(self, session_id: str, rules: Rules) -> None:
        for name, log in self._sessions.get(session_id, {}).items():
            self._apply(log, rules.of(name))

    def _apply(self, log: MemoryLog, rule: Rule) -> None:
        log.keep(rule.keep or self.retention.default)

    def _evict(self) -> None:
        goal = self.retention.total_bytes - self.retention.total_bytes // SLACK
        for log in list(self._silent):
            if self.bytes <= goal:
                return
            before = log.bytes
            log.trim(log.head + 1)
            self.bytes -= before - log.bytes
            del self._silent[log]
