"""Memory with recording under conformance: nearly all that is read comes from the tape."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project.database import run_db
from sessions.models import Session
from streaming import models
from streaming.core import position
from streaming.core.rules import TapeKeep
from streaming.engines.base import Key, Log, Producer
from streaming.engines.memory_log import MemoryLog
from streaming.engines.recording import Recorder, RecordingEngine
from streaming.engines.reel import Reel
from streaming.engines.rulebook import RuleBook
from streaming.engines.tape import BLANK, Taped
from streaming.models import Segment
from streaming.services import leases, tape_retention
from streaming.upkeep import DatabaseTape
from tests import factories
from tests.conformance.stores import Store

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
ALL = [{"pattern": "**", "recorded": True}]


class TapedLog(MemoryLog):
    """A log that keeps nothing in memory that is on the tape, and waits for it."""

    __slots__ = ()

    async def append(self, records: Any, producer: Producer | None = None) -> Any:
        end = await super().append(records, producer)
        assert isinstance(self._engine, TapedEngine)
        await self._engine.recorder.flush()
        self.trim(self.head + 1)
        return end


class TapedEngine(RecordingEngine):
    """The engine of such logs."""

    def _make(self, key: Any, keep: Any) -> Any:
        log = super()._make(key, keep)
        log.__class__ = TapedLog
        return log


async def _rules(session_ids: Any) -> Any:
    return dict.fromkeys(session_ids, ALL)


class Watched(DatabaseTape):
    """A tape of which one can see when nobody waits for it."""

    waiting = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return self._watched(found) if name in ASKED else found

    def _watched(self, call: Any) -> Any:
        async def watched(*args: Any, **options: Any) -> Any:
            self.waiting += 1
            try:
                return await call(*args, **options)
            finally:
                self.waiting -= 1

        return watched


ASKED = {"names", "find", "claim", "write", "release", "read", "ck", "seq_at"}


class RecordingStore(Store):
    """Rings in memory and a tape in the database; a crash leaves what is on the tape."""

    is_kept = True
    walks = 20

    def __init__(self) -> None:
        self.lease_id: UUID | None = None
        self.tape = Watched(lambda: self.lease_id)
        self.engine = self.make()
        self.is_fresh = True

    def make(self) -> RecordingEngine:
        recorder = Recorder(self.tape, group_seconds=0)
        return TapedEngine(recorder, rules=RuleBook(_rules), mint=self.mint)

    async def crash(self) -> None:
        self.engine = self.make()

    async def open(self, key: Key) -> Log:
        if self.is_fresh:
            self.is_fresh = False
            self.lease_id = await run_db(prepare, key)
        return await super().open(key)

    async def settle(self) -> None:
        await super().settle()
        while self.tape.waiting:
            await asyncio.sleep(0.0002)
            await super().settle()

    async def trim(self, log: Log) -> None:
        taped = await run_db(shorten, self.reel(log).taped.id, log.epoch, log.start)
        log.cut(taped.start)

    async def rollback(self, log: Log) -> None:
        last = {"log__session": log.key[0], "log__name": log.key[1], "seq": log.head}
        await run_db(lambda: models.Record.objects.filter(**last, epoch=log.epoch).delete())
        await self.restart(log)

    async def wipe(self, log: Log) -> None:
        assert isinstance(log, MemoryLog)
        rows = models.Log.objects.filter(session_id=UUID(log.key[0]), name=log.key[1])
        await run_db(rows.delete)
        epoch = self.mint()
        log.reel = Reel(log, tape=self.tape, taped=BLANK)
        log.restore(Taped(epoch, 1, 0, position.genesis(log.key[1], epoch)))

    async def restart(self, log: Log) -> None:
        """Begin again, as another process would, from what is on the tape."""
        self.reel(log).look(await self.tape.find(log.key))

    def reel(self, log: Log) -> Reel:
        assert isinstance(log, MemoryLog)
        assert log.reel is not None
        return log.reel


def prepare(key: Key) -> UUID:
    """A session without anything, and a lease."""
    Session.objects.filter(pk=key[0]).delete()
    team = factories.team("conformance")
    Session.objects.create(pk=key[0], key=key[0], team=team)
    return leases.take(url="").pk


def shorten(log_id: int, epoch: str, start: int) -> Taped:
    """Let the first record of a tape go, as one that was recorded long ago."""
    counted = {"bytes": 0, "seen_at": LONG_AGO}
    Segment.objects.get_or_create(log_id=log_id, epoch=epoch, last=start, defaults=counted)
    taped = tape_retention.expire(log_id=log_id, keep=TapeKeep(), now=timezone.now())
    tape_retention.remove(log_id=log_id)
    return taped
