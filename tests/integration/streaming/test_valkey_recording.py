"""Recorded topics in Valkey: one process writes the tape of what all of them append."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import redis

from aegis_project.database import run_db
from sessions.selectors import topic_rules
from streaming.core import position
from streaming.engines.base import Key
from streaming.engines.recording import Recorder
from streaming.engines.rulebook import RuleBook
from streaming.engines.valkey import ValkeyEngine
from streaming.hub import Hub
from streaming.services import leases
from streaming.upkeep import DatabaseTape
from tests import waiting
from tests.integration.streaming.taping import TOPIC, bodies, make_session, row

pytestmark = pytest.mark.django_db(transaction=True)


class Process:
    """A process that records what is in Valkey."""

    def __init__(self, lease_id: UUID) -> None:
        self.lease_id = lease_id
        rules = RuleBook(topic_rules.load)
        self.recorder = Recorder(DatabaseTape(lambda: lease_id), group_seconds=0)
        url = os.environ["AEGIS_TEST_REDIS_URL"]
        engine = ValkeyEngine(url, rules=rules, recorder=self.recorder)
        self.hub = Hub(engines=[engine], rules=rules)

    async def publish(self, key: Key, *items: bytes) -> position.Position:
        return await self.hub.publish(key, [(1000, item) for item in items])

    async def die(self) -> None:
        """End as a process that is killed, and whose lease has run out."""
        await run_db(leases.release, lease_id=self.lease_id)
        await self.hub.stop()


@pytest.fixture
async def process() -> AsyncIterator[Callable[[], Awaitable[Process]]]:
    made: list[Process] = []

    async def one() -> Process:
        taken = await run_db(leases.take, url=leases.BESIDE)
        made.append(Process(taken.pk))
        await made[-1].hub.start()
        return made[-1]

    with redis.Redis.from_url(os.environ["AEGIS_TEST_REDIS_URL"]) as store:
        store.flushdb()
    yield one
    for each in made:
        await each.hub.stop()


@pytest.fixture
async def key() -> Key:
    return (await run_db(make_session), TOPIC)


Make = Callable[[], Awaitable[Process]]


async def test_what_any_process_appends_stands_on_the_tape_of_one(process: Make, key: Key):
    one, other = await process(), await process()

    await one.publish(key, b"1")
    await one.recorder.flush()
    await other.publish(key, b"2", b"3")
    await other.recorder.flush()
    line = one.hub.board.lines[key]
    await waiting.until(lambda: line.log.head == 3)
    is_all = await one.recorder.flush()
    end = await other.publish(key, b"4")
    await waiting.until(lambda: line.log.head == 4)
    await one.recorder.flush()

    listed = await run_db(row, key)
    assert is_all
    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2"), (3, b"3"), (4, b"4")]
    assert (listed.recorded, listed.epoch, listed.head) == (True, end.epoch, 4)
    assert (listed.ck, listed.writer_id) == (end.ck.hex(), one.lease_id)


async def test_tape_of_a_process_that_died_is_written_on_by_the_next(process: Make, key: Key):
    one, other = await process(), await process()
    await one.publish(key, b"1")
    await one.recorder.flush()
    await one.publish(key, b"2")

    await one.die()
    await other.publish(key, b"3")
    await other.recorder.flush()

    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2"), (3, b"3")]
    assert (await run_db(row, key)).writer_id == other.lease_id


async def test_what_was_not_written_is_written_by_whoever_opens_the_topic(process: Make, key: Key):
    one, other = await process(), await process()
    await one.publish(key, b"1", b"2")
    await one.die()

    assert await other.hub.read(key, 0) is not None
    await other.recorder.flush()

    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2")]


async def test_store_that_forgot_begins_a_new_tape(process: Make, key: Key):
    one = await process()
    first = await one.publish(key, b"1", b"2")
    await one.recorder.flush()

    with redis.Redis.from_url(os.environ["AEGIS_TEST_REDIS_URL"]) as store:
        store.flushdb()
    again = await one.publish(key, b"3")
    await one.recorder.flush()

    listed = await run_db(row, key)
    assert (listed.epoch, listed.head) == (again.epoch, 1)
    assert again.epoch != first.epoch
    # Of two epochs no one comes first.
    assert sorted(await run_db(bodies, key)) == [(1, b"1"), (1, b"3"), (2, b"2")]


async def test_rules_that_change_begin_and_end_a_recording(process: Make):
    key = (await run_db(make_session, {"pattern": "other", "recorded": True}), TOPIC)
    one = await process()
    await one.publish(key, b"1")
    line = one.hub.board.lines[key]

    async def change(*said: dict[str, Any]) -> None:
        from sessions.services import creation  # noqa: PLC0415 -- app ready
        from tests.factories import OPERATOR  # noqa: PLC0415 -- app ready

        changes = {"config": {"topics": list(said)}}
        await run_db(creation.update, principal=OPERATOR, session=key[0], changes=changes)
        one.hub.rules.hear(key[0])
        await one.hub.rules.renew()

    await change({"pattern": "**", "recorded": True})
    await waiting.until(lambda: line.log.is_recorded)
    await one.publish(key, b"2")
    await one.recorder.flush()
    recorded = await run_db(bodies, key)
    await change()
    await one.recorder.flush()
    await one.publish(key, b"3")
    await one.recorder.flush()

    assert recorded == [(1, b"1"), (2, b"2")]
    assert await run_db(bodies, key) == recorded
    assert not line.log.is_recorded
    assert not (await run_db(row, key)).recorded


async def test_forgotten_session_leaves_its_tape(process: Make, key: Key):
    one = await process()
    await one.publish(key, b"1")

    await one.hub.forget(key[0])

    listed = await run_db(row, key)
    assert await run_db(bodies, key) == [(1, b"1")]
    assert (listed.recorded, listed.writer_id) == (True, None)


async def test_process_that_ends_writes_the_rest_though_its_store_is_let_go(
    process: Make, key: Key
):
    one = await process()
    await one.publish(key, b"1")
    await one.recorder.flush()
    await one.publish(key, b"2")

    await one.hub.stop()
    await one.recorder.flush()

    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2")]
