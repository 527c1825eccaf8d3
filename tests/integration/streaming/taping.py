"""Server processes that record, as far as recording goes, and what they leave on the tape."""

from typing import Any
from uuid import UUID

from aegis_project.database import run_db
from sessions.selectors import topic_rules
from streaming.core.position import Position
from streaming.engines.base import Key
from streaming.engines.memory_log import MemoryLog
from streaming.engines.recording import Recorder, RecordingEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import Hub
from streaming.models import Log, Record
from streaming.services import leases
from streaming.upkeep import DatabaseTape
from tests import factories

TOPIC = "trades.BTC"


def make_session(*rules: dict[str, Any]) -> str:
    """A session that says this of its topics; without, it records all of them."""
    said = list(rules) or [{"pattern": "**", "recorded": True}]
    return str(factories.session(config={"topics": said}).pk)


class Process:
    """One process: a lease, rules, an engine that records, a hub. It ends when nobody holds it."""

    def __init__(self, lease_id: UUID, **options: Any) -> None:
        self.lease_id = lease_id
        rules = RuleBook(topic_rules.load)
        self.recorder = Recorder(DatabaseTape(lambda: lease_id), group_seconds=0)
        self.engine = RecordingEngine(self.recorder, rules=rules, **options)
        self.hub = Hub(engines=[self.engine], rules=rules)

    @classmethod
    async def start(cls, **options: Any) -> "Process":
        return cls((await run_db(leases.take, url="")).pk, **options)

    async def publish(
        self, session_id: str, *items: bytes, topic: str = TOPIC, ts: int = 1000
    ) -> Position:
        return await self.hub.publish((session_id, topic), [(ts, item) for item in items])

    async def read(self, key: Key, after: int = 0) -> list[bytes]:
        cut = await self.hub.read(key, after)
        return cut.data if cut is not None else []

    async def flush(self) -> bool:
        return await self.recorder.flush()

    def log(self, session_id: str, topic: str = TOPIC) -> MemoryLog:
        found = self.engine.held((session_id, topic))
        assert found is not None
        return found

    async def end(self) -> None:
        """End as a process does that is told to."""
        await self.flush()
        await self.die()

    async def die(self) -> None:
        """End as a process does that is killed, and whose lease has run out."""
        await run_db(leases.release, lease_id=self.lease_id)


def row(key: Key) -> Log:
    return Log.objects.get(session_id=key[0], name=key[1])


def bodies(key: Key) -> list[tuple[int, bytes]]:
    """What is on the tape of a topic, in any epoch, in the order of its numbers."""
    found = Record.objects.filter(log__session_id=key[0], log__name=key[1]).order_by("seq")
    return [(seq, bytes(body)) for seq, body in found.values_list("seq", "body")]
