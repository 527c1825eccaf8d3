"""Recording: what the logs in memory gain goes to the tape in groups, and comes back from it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection

from aegis_project.kit.errors import ServiceUnavailable
from streaming.core.rules import Rule, Rules
from streaming.engines.base import Key
from streaming.engines.memory import MemoryEngine
from streaming.engines.memory_log import MemoryLog
from streaming.engines.reel import Reel
from streaming.engines.retention import Retention
from streaming.engines.rulebook import RuleBook
from streaming.engines.tape import BLANK, Group, Tape

logger = logging.getLogger(__name__)

GROUP_SECONDS = 0.02
GROUP_RECORDS = 500
GROUP_BYTES = 1024 * 1024
RETRY_SECONDS = 1.0


class Recorder:
    """
    The one writer of a process: it collects what the logs gained for a moment and writes it.

    Publishing and delivery do not wait for it. A group is one transaction, of at most so many
    records; what a crash can cost is what came after the last one.
    """

    def __init__(self, tape: Tape, *, group_seconds: float = GROUP_SECONDS) -> None:
        self.tape = tape
        self.groups = self.records = 0
        self._group_seconds = group_seconds
        self._behind: dict[Reel, None] = {}
        self._leaving: set[Reel] = set()
        self._noted = asyncio.Event()
        self._writing = asyncio.Lock()

    def note(self, reel: Reel) -> None:
        """Write what the log of this reel has gained, with the next group."""
        self._behind[reel] = None
        self._noted.set()

    def drop(self, reel: Reel) -> None:
        """Write nothing more of this log."""
        self._behind.pop(reel, None)
        self._leaving.discard(reel)

    def leave(self, reel: Reel, *, is_leaving: bool) -> None:
        """Say whether a log is to be recorded no more, once the tape has caught up with it."""
        if is_leaving:
            self._leaving.add(reel)
            self.note(reel)
        else:
            self._leaving.discard(reel)

    async def run(self) -> None:
        """Write groups as they come, for ever."""
        while True:
            await self._noted.wait()
            await asyncio.sleep(self._group_seconds)
            self._noted.clear()
            if not await self.flush():
                await asyncio.sleep(RETRY_SECONDS)
                self._noted.set()

    async def flush(self) -> bool:
        """Write all there is; false when some of it cannot be written now."""
        async with self._writing:
            while groups := await self._take():
                await self._write(groups)
            for reel in self._leaving - self._behind.keys():
                self._leaving.discard(reel)
                await reel.leave()
        return not self._behind

    async def _take(self) -> dict[Reel, Group]:
        groups: dict[Reel, Group] = {}
        records, size = GROUP_RECORDS, GROUP_BYTES
        for reel in tuple(self._behind):
            if records <= 0 or size <= 0:
                break
            group = await self._of(reel, records, size)
            if group is not None:
                groups[reel] = group
                records -= len(group.data)
                size -= sum(map(len, group.data))
            elif not reel.is_behind:
                self._behind.pop(reel, None)
        return groups

    async def _of(self, reel: Reel, records: int, size: int) -> Group | None:
        if not reel.is_owned:
            # Another process holds it: what this one has is not recorded by it.
            with contextlib.suppress(ServiceUnavailable):
                await reel.own()
        return await reel.take(limit=records, max_bytes=size) if reel.is_owned else None

    async def _write(self, groups: dict[Reel, Group]) -> None:
        for reel, taped in zip(groups, await self.tape.write([*groups.values()]), strict=True):
            await reel.wrote(taped)
        self.groups += 1
        self.records += sum(len(group.data) for group in groups.values())


class RecordingEngine(MemoryEngine):
    """
    Logs in memory, of which those that the rules call recorded are on the tape, too.

    Such a log begins as its tape ends, with the same epoch and chain, and what memory no longer
    keeps is read from the tape.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        retention: Retention | None = None,
        rules: RuleBook | None = None,
        mint: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(retention=retention, rules=rules, **({"mint": mint} if mint else {}))
        self.recorder = recorder
        self._tape = recorder.tape
        self._taped: dict[str, frozenset[str]] = {}

    def names(self, session_id: str) -> Collection[str]:
        return {*super().names(session_id), *self._taped.get(session_id, ())}

    async def meet(self, session_id: str) -> None:
        if session_id in self._taped and self.rules.holds(session_id):
            return
        rules = await self.rules.of(session_id)
        found = await self._tape.names(session_id) if any(r.recorded for r in rules.rules) else ()
        self._taped[session_id] = frozenset(name for name in found if rules.of(name).recorded)

    def tidy(self, now: float) -> None:
        super().tidy(now)
        for session_id in [one for one in self._taped if not self.rules.holds(one)]:
            del self._taped[session_id]

    async def forget(self, session_id: str) -> None:
        await self.recorder.flush()
        self._taped.pop(session_id, None)
        held = [self.held((session_id, name)) for name in self.names(session_id)]
        await super().forget(session_id)
        for log in held:
            if log is not None and log.reel is not None:
                self.recorder.drop(log.reel)
                await log.reel.release(is_recorded=True)

    def grew(self, log: MemoryLog, size: int) -> None:
        super().grew(log, size)
        if log.reel is not None:
            self.recorder.note(log.reel)

    async def _begin(self, key: Key, rule: Rule) -> MemoryLog:
        if not rule.recorded:
            return await super()._begin(key, rule)
        taped = await self._tape.find(key)
        log = await super()._begin(key, rule)
        if log.reel is None:
            log.reel = Reel(log, tape=self._tape, taped=taped)
            log.reel.look(taped)
        return log

    def _rule(self, session_id: str, rules: Rules) -> None:
        self._taped.pop(session_id, None)
        super()._rule(session_id, rules)

    def _apply(self, log: MemoryLog, rule: Rule) -> None:
        super()._apply(log, rule)
        if rule.recorded and log.reel is None:
            log.reel = Reel(log, tape=self._tape, taped=BLANK)
            self.recorder.note(log.reel)
        elif log.reel is not None:
            self.recorder.leave(log.reel, is_leaving=not rule.recorded)
