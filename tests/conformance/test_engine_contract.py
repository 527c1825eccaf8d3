import asyncio

import pytest

from streaming.core import position
from streaming.core.position import Position

KEY = ("11111111-1111-1111-1111-111111111111", "klines.BTC")


def records(*items, ts=1000):
    return [(ts, b"%d" % item) for item in items]


async def test_numbers_and_chain_begin_at_the_genesis_of_the_epoch(store):
    log = await store.open(KEY)

    empty = log.position
    end = await log.append(records(1, 2))

    genesis = position.genesis(KEY[1], log.epoch)
    assert (empty.seq, empty.ck, log.start) == (0, genesis, 1)
    assert end == Position(log.epoch, 2, position.chain_all(genesis, 1, [b"1", b"2"]))
    assert await log.match(0) == genesis
    assert await log.match(2) == end.ck
    assert await log.match(3) is None


async def test_log_of_a_topic_is_one(store):
    log = await store.open(KEY)
    other = await store.open((KEY[0], "klines.ETH"))

    await log.append(records(1))

    assert await store.open(KEY) is log
    assert (log.head, other.head) == (1, 0)
    assert log.epoch != other.epoch
    assert set(store.engine.names(KEY[0])) == {"klines.BTC", "klines.ETH"}


async def test_slices_follow_one_another_without_hole_or_overlap(store):
    log = await store.open(KEY)
    for start in range(0, 1000, 10):
        await log.append(records(*range(start, start + 10)))

    after, seen, ck = 0, [], await log.match(0)
    while cut := await log.read(after, limit=64, max_bytes=150):
        assert cut.first == after + 1
        ck = position.chain_all(ck, cut.first, cut.data)
        assert cut.ck == ck == await log.match(cut.last)
        seen += cut.data
        after = cut.last

    assert seen == [b"%d" % n for n in range(1000)]
    assert log.ck == ck


async def test_writers_side_by_side_use_no_number_twice(store):
    log = await store.open(KEY)

    async def write(writer):
        ends = []
        for n in range(50):
            ends.append((await log.append(records(writer * 100 + n))).seq)
            await asyncio.sleep(0)
        return ends

    first, second = await asyncio.gather(write(1), write(2))

    assert sorted(first + second) == list(range(1, 101))
    ck, after = await log.match(0), 0
    while cut := await log.read(after):
        ck, after = position.chain_all(ck, cut.first, cut.data), cut.last
    assert (after, ck) == (100, log.ck)


async def test_writers_in_two_processes_use_no_number_twice(store):
    logs = [await store.open(KEY), await store.elsewhere(KEY)]

    async def write(log, writer):
        for n in range(50):
            await log.append(records(writer * 100 + n))
            await asyncio.sleep(0)

    await asyncio.gather(*(write(log, writer) for writer, log in enumerate(logs)))

    ends = []
    for log in logs:
        await log.refresh()
        ck, after, seen = await log.match(0), 0, []
        while cut := await log.read(after):
            ck, after = position.chain_all(ck, cut.first, cut.data), cut.last
            seen += cut.data
        ends.append((after, ck, seen))
        assert (after, ck) == (log.head, log.ck)
    assert ends[0] == ends[1]
    assert sorted(map(int, ends[0][2])) == [*range(50), *range(100, 150)]
    for writer in range(2):
        own = [n for n in map(int, ends[0][2]) if n // 100 == writer]
        assert own == sorted(own)


async def test_clock_that_jumps_changes_no_order(store):
    log = await store.open(KEY)

    for ts in (5000, 1000, 9000, 2000):
        await log.append([(ts, b"%d" % ts)])

    cut = await log.read(0)
    assert cut.ts == [5000, 1000, 9000, 2000]
    assert [await log.seq_at(ts) for ts in (0, 5001, 9001)] == [1, 3, 5]


async def test_retention_keeps_the_anchor(store):
    log = await store.open(KEY)
    await log.append(records(1, 2, 3))
    before = [await log.match(seq) for seq in range(4)]

    await store.trim(log)
    await store.trim(log)

    assert (log.start, log.head) == (3, 3)
    assert [await log.match(seq) for seq in range(4)] == [None, None, *before[2:]]
    assert (await log.read(0)).first == 3
    await store.trim(log)
    assert (await log.read(0), await log.match(3)) == (None, before[3])


async def test_lost_tail_cannot_be_proven_any_more(store):
    log = await store.open(KEY)
    await log.append(records(1, 2))
    lost = log.position

    await store.rollback(log)
    await log.append(records(22))

    assert log.position.seq == lost.seq
    assert await log.match(2) != lost.ck
    assert (log.epoch == lost.epoch) is not store.is_fencing


async def test_wiped_log_has_another_epoch_and_another_genesis(store):
    log = await store.open(KEY)
    await log.append(records(1))
    before = (log.epoch, await log.match(0))

    await store.wipe(log)

    assert (log.start, log.head) == (1, 0)
    assert before[0] != log.epoch
    assert before[1] != await log.match(0)


async def test_fence_is_won_once(store):
    log = await store.open(KEY)
    await log.append(records(1))
    epoch, ck = log.epoch, log.ck

    won = await asyncio.gather(log.fence(epoch, "b" * 16), log.fence(epoch, "c" * 16))

    assert sorted(won) == [False, True]
    assert log.epoch in {"b" * 16, "c" * 16}
    assert (log.head, await log.match(1)) == (1, ck)


async def test_wait_is_a_hint_that_may_time_out(store):
    log = await store.open(KEY)
    other = await store.elsewhere(KEY)

    waiting = asyncio.create_task(store.engine.wait({KEY}, 10))
    await asyncio.sleep(0)
    await other.append(records(1))

    assert await waiting == {KEY}
    assert log.head == 1
    assert await store.engine.wait({(KEY[0], "other")}, 0.001) == set()


async def test_forgotten_session_begins_with_a_new_epoch_unless_it_is_kept(store):
    log = await store.open(KEY)
    before = await log.append(records(1))

    await store.engine.forget(KEY[0])
    again = await store.open(KEY)

    assert again is not log
    assert (again.position == before) is store.is_kept
    assert (again.epoch == before.epoch) is store.is_kept


@pytest.mark.parametrize("size", [0, 1, 100_000])
async def test_record_of_any_size_comes_back_byte_for_byte(store, size):
    log = await store.open(KEY)
    data = b'"%b"' % ("é".encode() * size)

    await log.append([(1, data)])

    assert (await log.read(0, max_bytes=1)).data == [data]


# What producers say twice


async def test_producer_that_repeats_itself_appends_once(store):
    log = await store.open(KEY)
    first = await log.append(records(1, 2), ("feed", 1, 1))
    later = await log.append(records(3), ("feed", 1, 2))

    again = await log.append(records(1, 2), ("feed", 1, 1))

    assert again == first
    assert (log.position, (await log.read(0)).data) == (later, [b"1", b"2", b"3"])


async def test_what_differs_in_producer_epoch_or_number_is_another_append(store):
    log = await store.open(KEY)

    for producer in (("a", 1, 1), ("a", 1, 2), ("a", 2, 1), ("b", 1, 1), None, None):
        await log.append(records(1), producer)

    assert log.head == 6
