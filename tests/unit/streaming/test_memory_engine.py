import asyncio

import pytest

from streaming.core import position
from streaming.core.errors import OverCapacity, TopicReadOnly
from streaming.core.position import Position
from streaming.core.rules import Keep
from streaming.engines.base import Log
from streaming.engines.memory import MemoryEngine
from streaming.engines.memory_log import DEAD_PLACES
from streaming.engines.retention import Retention
from streaming.engines.rulebook import RuleBook
from streaming.engines.window import WINDOW

KEY = ("s", "klines.BTC")
EPOCH = "a" * 16


def engine_of(**retention):
    return MemoryEngine(retention=Retention(**retention), mint=lambda: EPOCH)


def engine_by(said):
    """An engine whose sessions say this of their topics; three records are kept of others."""

    async def load(session_ids):
        return {one: said[one] for one in session_ids if one in said}

    return MemoryEngine(retention=Retention(default=Keep(records=3)), rules=RuleBook(load))


async def filled(engine, *items, key=KEY, ts=0):
    log = await engine.open(key)
    await log.append([(ts, item) for item in items])
    return log


def chain_to(count, items):
    return position.chain_all(position.genesis(KEY[1], EPOCH), 1, items[:count])


async def test_append_gives_the_position_of_the_last_record():
    log = await engine_of().open(KEY)

    first = await log.append([(1, b"1"), (2, b"2")])
    second = await log.append([(3, b"3")])

    assert first == Position(EPOCH, 2, chain_to(2, [b"1", b"2"]))
    assert second == Position(EPOCH, 3, chain_to(3, [b"1", b"2", b"3"]))
    assert log.position == second


async def test_topic_has_one_log_and_rows_have_none_here():
    engine = engine_of()

    log = await engine.open(KEY)

    assert await engine.open(KEY) is log
    assert await engine.open(("s", "ledger")) is None
    assert await engine.open(("s", "runs.1")) is None
    assert engine.names("s") == ("klines.BTC",)
    assert engine.names("other") == ()


async def test_slice_holds_what_follows_within_its_bounds():
    log = await filled(engine_of(), *[b"%d" % n for n in range(1, 11)], ts=7)

    some = await log.read(2, limit=3)
    one = await log.read(0, max_bytes=0)
    bytes_bound = await log.read(0, max_bytes=4)

    assert (some.first, some.last, some.data, some.ts) == (3, 5, [b"3", b"4", b"5"], [7, 7, 7])
    assert some.ck == await log.match(5)
    assert some.n is None
    assert one.data == [b"1"]
    assert bytes_bound.data == [b"1", b"2", b"3", b"4"]
    assert await log.read(10) is None
    assert await log.n_of(1) is None


async def test_chain_value_is_known_from_the_anchor_to_the_head():
    items = [b"%d" % n for n in range(1, 8)]
    log = await filled(engine_of(default=Keep(records=4)), *items)

    assert (log.start, log.head) == (4, 7)
    assert [await log.match(seq) for seq in range(2, 9)] == [
        None,
        *[chain_to(count, items) for count in range(3, 8)],
        None,
    ]


@pytest.mark.parametrize(
    ("keep", "start"),
    [
        (Keep(records=1), 10),
        (Keep(records=64), 1),
        (Keep(bytes=30), 8),
        (Keep(bytes=1), 10),
        (Keep(records=5, bytes=20), 9),
    ],
)
async def test_oldest_records_leave_when_a_bound_is_passed(keep, start):
    log = await filled(engine_of(default=keep), *[b"x" * 10] * 10)

    assert log.start == start
    assert log.bytes == (11 - start) * 10
    assert (await log.read(0)).first == start


async def test_bounds_are_those_of_the_rules_of_the_session():
    said = {KEY[0]: [{"pattern": "klines.*", "retention": {"records": 2}}]}
    engine = engine_by(said)

    klines = await filled(engine, b"1", b"2", b"3", b"4")
    other = await filled(engine, b"1", b"2", b"3", b"4", key=(KEY[0], "other"))
    elsewhere = await filled(engine, b"1", b"2", b"3", b"4", key=("elsewhere", KEY[1]))

    assert (klines.start, other.start, elsewhere.start) == (3, 2, 2)


async def test_open_logs_keep_within_changed_rules_at_once():
    said = {KEY[0]: [{"pattern": "**", "retention": {"records": 8}}]}
    engine = engine_by(said)
    log = await filled(engine, *[b"x" * 10] * 8)
    other = await filled(engine, *[b"x" * 10] * 3, key=("other", KEY[1]))

    said[KEY[0]] = [{"pattern": "**", "retention": {"records": 2}}]
    engine.rules.hear(KEY[0])
    await engine.rules.renew()

    assert (log.start, log.head, other.start) == (7, 8, 1)
    assert engine.bytes == 50


async def test_log_that_two_ask_for_at_once_is_one():
    gate = asyncio.Event()

    async def load(_):
        await gate.wait()
        return {}

    engine = MemoryEngine(rules=RuleBook(load))
    first, second = asyncio.create_task(engine.open(KEY)), asyncio.create_task(engine.open(KEY))
    await asyncio.sleep(0)
    gate.set()

    assert await first is await second


async def test_dead_front_is_cut_off_and_the_anchor_stays():
    log = await engine_of(default=Keep(records=64)).open(KEY)
    items = [b"%d" % n for n in range(3 * DEAD_PLACES)]

    for item in items:
        await log.append([(0, item)])

    assert len(log._data) < 2 * DEAD_PLACES
    assert log.head - log.start + 1 <= 64
    assert await log.match(log.start - 1) == chain_to(log.start - 1, items)
    assert (await log.read(0, limit=1)).data == [items[log.start - 1]]


async def test_records_leave_by_age():
    engine = engine_of(default=Keep(age_seconds=10))
    log = await engine.open(KEY)
    starts = []

    for now in (100.0, 104.0, 108.0, 110.5, 114.5, 130.0):
        if now < 110:
            # By the clock of a replay they are all of the year 1970.
            await log.append([(5, b"xx"), (4, b"xx")])
        engine.tidy(now)
        starts.append(log.start)

    assert starts == [1, 1, 1, 3, 5, 7]
    assert (log.bytes, engine.bytes, await log.read(0)) == (0, 0, None)
    assert await log.match(6) == log.ck


async def test_log_that_lost_its_front_by_count_still_ages():
    engine = engine_of(default=Keep(records=2, age_seconds=10))
    log = await filled(engine, b"1", b"2")
    engine.tidy(0.0)
    await log.append([(0, b"3")])
    engine.tidy(5.0)

    engine.tidy(10.5)

    assert (log.start, log.head) == (3, 3)


async def test_first_record_at_or_after_a_time_is_found():
    log = await engine_of().open(KEY)
    for ts in (10, 20, 20, 30):
        await log.append([(ts, b"1")])

    assert [await log.seq_at(ts) for ts in (0, 10, 11, 20, 30, 31)] == [1, 1, 2, 2, 4, 5]


@pytest.mark.parametrize("keep", [1, 3, 100])
async def test_a_time_is_found_also_where_the_clock_was_set_back(keep):
    log = await engine_of(default=Keep(records=keep)).open(KEY)
    times = [50, 70, 20, 40, 40, 10, 30, 90]
    await log.append([(ts, b"1") for ts in times[:3]])
    await log.append([(ts, b"1") for ts in times[3:]])

    asked = range(0, 100, 5)
    found = [await log.seq_at(ts) for ts in asked]

    kept = list(enumerate(times, 1))[log.start - 1 :]
    assert found == [next((seq for seq, at in kept if at >= ts), 9) for ts in asked]


async def test_process_has_one_budget_and_the_longest_silent_gives_way():
    engine = engine_of(total_bytes=100)
    quiet = await filled(engine, b"x" * 40, key=("s", "quiet"))
    busy = await filled(engine, b"x" * 40, key=("s", "busy"))

    await busy.append([(0, b"x" * 21)])

    assert (quiet.start, quiet.head, quiet.bytes) == (2, 1, 0)
    assert (busy.start, busy.bytes) == (1, 61)
    assert engine.bytes == 61
    await busy.append([(0, b"x" * 200)])
    assert engine.bytes == busy.bytes == 0


async def test_session_has_a_bound_of_topics():
    engine = engine_of(max_topics=1)
    await engine.open(KEY)

    with pytest.raises(OverCapacity):
        await engine.open(("s", "one.more"))

    assert await engine.open(("other", "one.more")) is not None


async def test_fence_changes_the_epoch_once_and_keeps_the_chain():
    log = await filled(engine_of(), b"1")
    ck = log.ck

    first = await log.fence(EPOCH, "b" * 16)
    second = await log.fence(EPOCH, "c" * 16)

    assert (first, second) == (True, False)
    assert (log.epoch, log.head, log.ck) == ("b" * 16, 1, ck)


async def test_forgotten_session_begins_anew():
    engine = MemoryEngine()
    log = await filled(engine, b"1")
    await engine.open(("s", "empty"))

    await engine.forget("s")
    await engine.forget("s")
    again = await filled(engine)

    assert engine.bytes == 0
    assert (again.head, again.epoch != log.epoch) == (0, True)


async def test_wait_is_woken_by_an_append():
    engine = engine_of()
    log = await engine.open(KEY)
    other = await engine.open(("s", "other"))

    waiting = asyncio.create_task(engine.wait({KEY}, 10))
    await asyncio.sleep(0)
    await other.append([(0, b"1")])
    await asyncio.sleep(0)
    await log.append([(0, b"1")])

    assert await waiting == {KEY}
    assert await engine.wait({KEY}, 0) == set()


async def test_log_that_others_write_refuses_to_be_written():
    class View(Log):
        async def read(self, after, **bounds):
            return None

        async def match(self, seq):
            return None

        async def seq_at(self, ts):
            return 1

    view = View()
    view.key = KEY

    with pytest.raises(TopicReadOnly):
        await view.append([(0, b"1")])
    with pytest.raises(TopicReadOnly):
        await view.fence("a", "b")
    assert await view.refresh() is False


async def test_log_remembers_so_many_producers_and_no_more():
    log = await filled(engine_of())
    for n in range(WINDOW + 1):
        await log.append([(0, b"1")], ("feed", 1, n))

    repeated = await log.append([(0, b"1")], ("feed", 1, 1))
    forgotten = await log.append([(0, b"1")], ("feed", 1, 0))

    assert (repeated.seq, forgotten.seq) == (2, WINDOW + 2)
