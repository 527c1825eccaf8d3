"""The logs of a view: any record and any chain value, from memory or from the files again."""

import asyncio
from collections.abc import Iterator

import pytest

from streaming.core.errors import SourceUnreadable, TopicReadOnly
from streaming.engines import replay_history
from streaming.engines.base import Slice
from streaming.engines.replay import ReplayView
from streaming.sources import scan, source
from streaming.sources.clock import Merge
from streaming.sources.source import SourceSpec
from tests import archive
from tests.archive import DAY_MS, trade

SESSION = "5b0b8a2e-3f0d-4b57-9c0e-5a6c1c3d2e1f"
EPOCHS = {
    "trades.BTCUSDT": "00000000000000a1",
    "trades.ETHUSDT": "00000000000000a2",
    "klines.BTCUSDT.1m": "00000000000000a3",
}
COUNT = 6000
SMALL = {"window_records": 300, "window_bytes": 2**20}


@pytest.fixture
def dataset(tmp_path):
    bitcoin = [trade(number, DAY_MS + number * 30) for number in range(1, COUNT + 1)]
    ether = [trade(number, DAY_MS + number * 90) for number in range(1, COUNT // 3 + 1)]
    minutes = [
        archive.kline(DAY_MS + minute * 60_000, DAY_MS + minute * 60_000 + 59_999)
        for minute in range(2)
    ]
    archive.write(tmp_path, "trades.BTCUSDT", bitcoin)
    archive.write(tmp_path, "trades.ETHUSDT", ether)
    archive.write(tmp_path, "klines.BTCUSDT.1m", minutes)
    return archive.in_small_blocks(source.open_source(SourceSpec(tmp_path, tuple(EPOCHS))), 4096)


@pytest.fixture
def records(dataset):
    """Every record by topic as (n, ts, data, ck), index 0 being seq 1."""
    found: dict[str, list[tuple[int, int, bytes, bytes]]] = {name: [] for name in EPOCHS}
    merge = Merge(dataset.topics, epochs=EPOCHS)
    while batch := merge.read():
        for part in batch.parts:
            rows = zip(part.n, part.ts, part.data, part.ck, strict=True)
            found[merge.sources[part.topic].topic] += rows
    return found


@pytest.fixture(params=["index", "merge"])
def way(request, monkeypatch):
    """Whether topics remember their n, or it must be found by merging again, in small slices."""
    monkeypatch.setattr(scan, "BLOCKS_AT_ONCE", 2)
    if request.param == "merge":
        monkeypatch.setattr(replay_history, "NUMBERS_KEPT", 0)


async def open_view(dataset, **changes):
    return await ReplayView.open(dataset, session_id=SESSION, epochs=EPOCHS, **changes)


def log_of(view, name):
    return next(log for log in view.logs if log.key == (SESSION, name))


def slice_of(rows, first, last) -> Slice:
    part = rows[first - 1 : last]
    return Slice(
        first,
        [ts for _, ts, _, _ in part],
        [data for _, _, data, _ in part],
        part[-1][3],
        [n for n, _, _, _ in part],
    )


def at_once(coroutine):
    """What a coroutine gives that does not suspend."""
    steps: Iterator[object] = coroutine.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("It suspended.")


async def test_log_begins_at_one_and_is_ordered(dataset):
    view = await open_view(dataset)
    log = log_of(view, "trades.ETHUSDT")

    assert (log.start, log.head, log.epoch, log.is_ordered) == (1, 0, "00000000000000a2", True)
    assert at_once(log.read(0)) is None
    with pytest.raises(TopicReadOnly):
        await log.append([(1, b"{}")])


async def test_what_is_in_memory_is_read_at_once(dataset, records):
    view = await open_view(dataset)
    await view.advance(count=2000)
    log, rows = log_of(view, "trades.BTCUSDT"), records["trades.BTCUSDT"]

    assert at_once(log.read(9, limit=3)) == slice_of(rows, 10, 12)
    assert at_once(log.read(log.head - 1)) == slice_of(rows, log.head, log.head)
    assert at_once(log.read(log.head)) is None
    assert at_once(log.match(17)) == rows[16][3]
    assert at_once(log.match(log.head + 1)) == rows[log.head][3]
    assert at_once(log.n_of(17)) == rows[16][0]
    assert at_once(log.seq_at(rows[16][1])) == 17


async def test_slice_is_bounded_by_bytes_and_by_n(dataset, records):
    view = await open_view(dataset)
    await view.advance(count=1000)
    log, rows = log_of(view, "trades.BTCUSDT"), records["trades.BTCUSDT"]
    size = len(rows[0][2])

    assert await log.read(0, max_bytes=2 * size) == slice_of(rows, 1, 2)
    assert await log.read(0, max_bytes=2 * size - 1) == slice_of(rows, 1, 1)
    assert await log.read(0, max_bytes=1) == slice_of(rows, 1, 1)
    assert await log.read(0, below_n=rows[4][0]) == slice_of(rows, 1, 4)
    assert await log.read(4, below_n=rows[4][0]) is None


async def test_head_is_never_passed(dataset, records, way):
    view = await open_view(dataset, **SMALL)
    await view.advance(count=6000)

    for name, rows in records.items():
        log = log_of(view, name)
        last = slice_of(rows, log.head, log.head)
        assert await log.read(log.head - 1, limit=100) == last
        assert await log.n_of(log.head + 1) is None
        assert await log.n_of(0) is None


@pytest.mark.parametrize("name", list(EPOCHS))
async def test_every_old_record_is_read_again(dataset, records, way, name):
    view = await open_view(dataset, **SMALL)
    await view.advance()
    log, rows = log_of(view, name), records[name]
    assert log.window.spans[log.index].first > 1

    after, data, ns, times = 0, [], [], []
    while cut := await log.read(after, limit=1000):
        assert cut.first == after + 1
        assert cut.ck == rows[cut.last - 1][3]
        data += cut.data
        ns += cut.n
        times += cut.ts
        after = cut.last

    assert list(zip(ns, times, data, strict=True)) == [row[:3] for row in rows]


async def test_old_records_are_found_in_any_order(dataset, records, way):
    view = await open_view(dataset, **SMALL)
    await view.advance()

    for name, seq in [
        ("trades.BTCUSDT", 5000),
        ("trades.ETHUSDT", 3),
        ("trades.BTCUSDT", 4999),
        ("klines.BTCUSDT.1m", 2),
        ("trades.BTCUSDT", 1),
        ("trades.ETHUSDT", 1800),
    ]:
        log, rows = log_of(view, name), records[name]
        assert await log.read(seq - 1, limit=1) == slice_of(rows, seq, seq)
        assert await log.n_of(seq) == rows[seq - 1][0]
        assert await log.match(seq) == rows[seq - 1][3]
        assert await log.seq_at(rows[seq - 1][1]) == seq


async def test_many_readers_of_old_records_do_not_disturb_each_other(dataset, records, way):
    view = await open_view(dataset, **SMALL)
    await view.advance()
    places = [
        (name, seq) for name in ("trades.BTCUSDT", "trades.ETHUSDT") for seq in range(1, 1900, 307)
    ]

    found = await asyncio.gather(
        *(log_of(view, name).read(seq - 1, limit=2) for name, seq in places)
    )

    assert found == [slice_of(records[name], seq, seq + 1) for name, seq in places]


async def test_chain_value_is_known_ahead_of_the_clock_and_not_beyond_the_end(dataset, records):
    view = await open_view(dataset)
    log, rows = log_of(view, "trades.BTCUSDT"), records["trades.BTCUSDT"]

    found = [await log.match(seq) for seq in (0, 1, 4999, COUNT, COUNT + 1, 2**53 - 1, -1)]

    assert found == [log.ck, rows[0][3], rows[4998][3], rows[-1][3], None, None, None]


async def test_seq_at_a_time_is_the_first_readable_record_not_before(dataset):
    view = await open_view(dataset, **SMALL)
    await view.advance(until_ts=DAY_MS + 150_000)
    log = log_of(view, "trades.BTCUSDT")

    found = [
        await log.seq_at(DAY_MS + ts)
        for ts in (-10_000, 0, 30, 31, 149_971, 150_000, 150_001, 10**9)
    ]

    assert found == [1, 1, 1, 2, 5000, 5000, 5001, 5001]


async def test_seq_at_a_time_is_known_of_a_topic_that_memory_has_nothing_of(dataset):
    view = await open_view(dataset, **SMALL)
    await view.advance()
    log = log_of(view, "klines.BTCUSDT.1m")

    found = [await log.seq_at(DAY_MS + ts) for ts in (0, 59_999, 60_000, 119_999, 120_000)]

    assert log.window.spans[log.index].data == []
    assert found == [1, 1, 2, 2, 3]


async def test_old_records_are_read_after_coming_back_with_a_checkpoint(dataset, records, way):
    before = await open_view(dataset, **SMALL)
    await before.advance(count=7000)

    view = await open_view(dataset, n=7000, checkpoint=before.checkpoint(), **SMALL)

    for name, rows in records.items():
        log = log_of(view, name)
        assert await log.read(0, limit=1) == slice_of(rows, 1, 1)
        assert await log.match(log.head) == rows[log.head - 1][3]
    await view.advance()
    log, rows = log_of(view, "trades.ETHUSDT"), records["trades.ETHUSDT"]
    assert [await log.n_of(seq) for seq in (1, 1700, 1900, 2000)] == [
        rows[seq - 1][0] for seq in (1, 1700, 1900, 2000)
    ]


async def test_memory_is_bounded_by_records_and_by_bytes(dataset):
    by_count = await open_view(dataset, window_records=1000)
    by_size = await open_view(dataset, window_bytes=1000 * 90)

    for view in (by_count, by_size):
        while await view.advance(count=500):
            spans = view.logs[0].window.spans
            loaded = view.logs[0].window.last - view.n
            assert sum(len(span.data) for span in spans) - loaded < 1300


async def test_files_that_changed_are_told_and_not_taken_for_the_end(dataset, tmp_path, way):
    view = await open_view(dataset, **SMALL)
    await view.advance()
    for topic in dataset.topics:
        (tmp_path / topic.files[0].name).write_text("")

    with pytest.raises(SourceUnreadable, match="files have changed"):
        await log_of(view, "trades.BTCUSDT").read(5)


async def test_log_that_follows_another_view_gives_nothing_of_the_first(dataset):
    first = await open_view(dataset, **SMALL)
    await first.advance()
    second = await ReplayView.open(
        dataset, session_id=SESSION, epochs=dict.fromkeys(EPOCHS, "00000000000000b1")
    )
    log = first.logs[0]

    reading = asyncio.create_task(log.read(5))
    await asyncio.sleep(0)
    log.follow(second.logs[0])

    assert await reading is None
    assert (log.epoch, log.head) == ("00000000000000b1", 0)
