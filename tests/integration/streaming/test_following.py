import asyncio
from contextlib import aclosing

import pytest

from streaming.core import position
from streaming.core.errors import TopicNotFound
from streaming.core.position import Cursor
from streaming.core.resume import Gap, Start, Unprovable
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub, following
from tests import waiting
from tests.engines import ClockEngine
from tests.hubs import SESSION, publish

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)
EARLIEST = Start("earliest")


@pytest.fixture
def hub():
    return Hub(engines=[MemoryEngine(retention=Retention(default=Keep(records=300)))])


def follow(hub, begin=EARLIEST, cursor=None, *, beat_seconds=30, key=KEY):
    return aclosing(following.follow(hub, key, begin, cursor, beat_seconds=beat_seconds))


async def take(turns):
    """The next turn, or a failure: none of these tests waits for a clock."""
    async with asyncio.timeout(10):
        return await anext(turns)


def shown(turn):
    return turn.cut.first, [bytes(data) for data in turn.cut.data]


async def test_what_is_there_comes_first_and_then_what_comes(hub):
    await publish(hub, TOPIC, 1, 2)

    async with follow(hub) as turns:
        first = await take(turns)
        await publish(hub, TOPIC, 3)
        second = await take(turns)

    assert shown(first) == (1, [b"1", b"2"])
    assert shown(second) == (3, [b"3"])
    assert second.at == hub.board.lines[KEY].log.position


async def test_a_reader_goes_on_behind_its_position_and_its_chain_holds(hub):
    cursor = await publish(hub, TOPIC, 1, 2)
    await publish(hub, TOPIC, 3)

    async with follow(hub, cursor=Cursor(cursor.epoch, cursor.seq, cursor.ck)) as turns:
        turn = await take(turns)

    assert shown(turn) == (3, [b"3"])
    assert turn.at.ck == position.chain(cursor.ck, 3, b"3")


async def test_a_topic_longer_than_a_slice_comes_whole_and_in_order(hub):
    await publish(hub, TOPIC, *range(1, 301))
    found: list[bytes] = []

    async with follow(hub) as turns:
        while len(found) < 300:
            found += (await take(turns)).cut.data

    assert found == [str(n).encode() for n in range(1, 301)]


async def test_a_slow_reader_is_told_what_retention_took(hub):
    await publish(hub, TOPIC, 1)

    async with follow(hub) as turns:
        await take(turns)
        await publish(hub, TOPIC, 2, 3)
        hub.board.lines[KEY].log.trim(3)
        told, rest = await take(turns), await take(turns)

    assert told.notice == Gap(2, 2, "retention")
    assert shown(rest) == (3, [b"3"])


async def test_a_position_that_nobody_knows_is_told_first(hub):
    await publish(hub, TOPIC, 1)
    cursor = Cursor("f" * 16, 7, b"x" * 8)

    async with follow(hub, cursor=cursor) as turns:
        told, rest = await take(turns), await take(turns)

    assert isinstance(told.notice, Unprovable)
    assert shown(rest) == (1, [b"1"])


async def test_a_new_epoch_that_lost_nothing_is_gone_on_with(hub):
    await publish(hub, TOPIC, 1)

    async with follow(hub) as turns:
        await take(turns)
        log = hub.board.lines[KEY].log
        await log.fence(log.epoch, "f" * 16)
        await publish(hub, TOPIC, 2)
        turn = await take(turns)

    assert shown(turn) == (2, [b"2"])
    assert turn.at.epoch == "f" * 16


async def test_a_log_that_began_anew_is_told():
    hub = Hub(engines=[MemoryEngine()])
    await publish(hub, TOPIC, 1, 2)

    async with follow(hub) as turns:
        await take(turns)
        line = hub.board.lines[KEY]
        line.log.__init__(KEY, epoch=line.log.epoch, keep=Keep(), engine=line.engine)  # type: ignore[misc]
        await publish(hub, TOPIC, "x", "y", "z")
        told, rest = await take(turns), await take(turns)

    assert isinstance(told.notice, Unprovable)
    assert rest.cut.last == 3


async def test_the_end_is_told_once_behind_the_last_record(hub):
    await publish(hub, TOPIC, 1)

    async with follow(hub, beat_seconds=0.01) as turns:
        await take(turns)
        await hub.end(KEY, "done", final=True)
        turns_after = [await take(turns) for _ in range(2)]

    assert [turn.ending and turn.ending.reason for turn in turns_after] == ["done", None]
    assert turns_after[1].is_beat


async def test_nothing_for_a_beat_is_told(hub):
    await publish(hub, TOPIC, 1)

    async with follow(hub, Start("latest"), beat_seconds=0.01) as turns:
        turn = await take(turns)

    assert turn.is_beat
    assert turn.at.seq == 1


async def test_who_leaves_leaves_nothing_behind(hub):
    await publish(hub, TOPIC, 1)

    async with follow(hub) as turns:
        await take(turns)
        assert hub.board.lines[KEY].is_wanted

    assert not hub.board.lines[KEY].is_wanted


async def test_a_hub_that_is_over_sends_its_readers_away(hub):
    await publish(hub, TOPIC, 1)
    reading = asyncio.create_task(_all(hub))
    await waiting.until(lambda: bool(hub.board.lines[KEY].listeners))

    hub.dismiss()

    async with asyncio.timeout(10):
        assert await reading == [b"1"]


async def _all(hub):
    async with follow(hub, beat_seconds=0.01) as turns:
        return [data async for turn in turns if turn.cut for data in turn.cut.data]


async def test_a_store_that_must_be_waited_for_is_read_as_well():
    engine = ClockEngine({TOPIC: [(1, "a"), (2, "b")]})
    hub = Hub(engines=[engine, MemoryEngine()])
    engine.advance(2)

    async with follow(hub) as turns:
        turn = await take(turns)

    assert shown(turn) == (1, [b'"a"', b'"b"'])


async def test_there_is_nothing_to_follow_where_nothing_is(hub):
    async with follow(hub) as turns:
        with pytest.raises(TopicNotFound):
            await take(turns)
