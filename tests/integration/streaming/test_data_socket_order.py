"""What one socket publishes into one topic stands there in its order, whatever has to be waited for."""

import asyncio

import msgspec

from streaming.engines.memory import MemoryEngine
from streaming.engines.recording import Recorder, RecordingEngine
from streaming.engines.rulebook import RuleBook
from streaming.engines.tape import BLANK, Group, Tape, Taped
from streaming.hub import Hub
from tests.hubs import SESSION, settle, until
from tests.integration.streaming.test_data_socket import TOPIC, Door, open_socket

FEW = 20


class LateTape(Tape):
    """A tape that is claimed when the test lets it, and then takes whatever comes."""

    def __init__(self) -> None:
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def names(self, session_id: str) -> list[str]:
        return []

    async def find(self, key: tuple[str, str]) -> Taped:
        return BLANK

    async def claim(self, key: tuple[str, str], begin: Taped) -> Taped | None:
        self.is_asked.set()
        await self.may_answer.wait()
        return msgspec.structs.replace(begin, id=1, fence=1)

    async def write(self, groups: list[Group]) -> list[Taped]:  # type: ignore[override]
        return [one.after for one in groups]

    async def release(self, taped: Taped, *, is_recorded: bool) -> None:
        return None

    async def read(self, taped: Taped, first: int, *, limit: int, max_bytes: int) -> None:
        return None

    async def ck(self, taped: Taped, seq: int) -> bytes | None:
        return None

    async def seq_at(self, taped: Taped, ts: int) -> int | None:
        return None


async def published(hub: Hub, count: int) -> list[int]:
    """What stands in the topic once there is so much of it."""
    log = (await hub.board.line((SESSION, TOPIC))).log
    await until(lambda: log.head >= count)
    cut = await hub.read((SESSION, TOPIC), 0)
    assert cut is not None
    return [int(one) for one in cut.data]


async def test_the_first_records_of_a_recorded_topic_wait_for_its_tape_in_their_order():
    async def load(session_ids):
        return {key: [{"pattern": "**", "recorded": True}] for key in session_ids}

    tape, rules = LateTape(), RuleBook(load)
    hub = Hub(engines=[RecordingEngine(Recorder(tape), rules=rules)], rules=rules)
    await hub.board.line((SESSION, TOPIC))
    async with open_socket(hub, Door()) as socket:
        for n in range(FEW):
            socket.say(COMMAND="PUBLISH", topic=TOPIC, data=n)
        await tape.is_asked.wait()
        asyncio.get_running_loop().call_soon(
            lambda: [socket.say(COMMAND="PUBLISH", topic=TOPIC, data=n) for n in range(FEW, 40)]
        )
        tape.may_answer.set()

        assert await published(hub, 40) == list(range(40))
    await hub.stop()


async def test_records_that_wait_for_the_rules_of_their_topic_are_not_overtaken():
    may_answer = asyncio.Event()
    may_answer.set()

    async def load(session_ids):
        await may_answer.wait()
        return {key: [] for key in session_ids}

    rules = RuleBook(load)
    hub = Hub(engines=[MemoryEngine(rules=rules)], rules=rules)
    async with open_socket(hub, Door()) as socket:
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=0)
        await published(hub, 1)
        rules.hear(SESSION)
        may_answer.clear()
        for n in range(1, FEW):
            socket.say(COMMAND="PUBLISH", topic=TOPIC, data=n)
        await settle(hub)
        may_answer.set()

        assert await published(hub, FEW) == list(range(FEW))
    await hub.stop()
