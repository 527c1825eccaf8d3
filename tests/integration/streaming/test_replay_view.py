"""The clock of a view: what it lets be seen, in which steps, and how it comes back."""

import asyncio

import pytest

from streaming.core import position
from streaming.core.errors import SourceUnreadable
from streaming.core.position import Position
from streaming.engines.replay import ReplayView, Upcoming
from streaming.sources import source
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


@pytest.fixture
def dataset(tmp_path):
    """Trades of two symbols, every 50 ms and every 150 ms; a kline each minute."""
    bitcoin = [trade(number, DAY_MS + number * 50) for number in range(1, COUNT + 1)]
    ether = [trade(number, DAY_MS + number * 150) for number in range(1, COUNT // 3 + 1)]
    minutes = [
        archive.kline(DAY_MS + minute * 60_000, DAY_MS + minute * 60_000 + 59_999)
        for minute in range(5)
    ]
    archive.write(tmp_path, "trades.BTCUSDT", bitcoin)
    archive.write(tmp_path, "trades.ETHUSDT", ether)
    archive.write(tmp_path, "klines.BTCUSDT.1m", minutes)
    return archive.in_small_blocks(source.open_source(SourceSpec(tmp_path, tuple(EPOCHS))), 4096)


TOTAL = COUNT + COUNT // 3 + 5


async def open_view(dataset, **changes):
    return await ReplayView.open(dataset, session_id=SESSION, epochs=EPOCHS, **changes)


def heads(view):
    return {name: place.seq for name, place in view.receipts().items()}


async def test_new_view_shows_nothing(dataset):
    view = await open_view(dataset)

    assert view.receipts() == {
        name: Position(epoch, 0, position.genesis(name, epoch)) for name, epoch in EPOCHS.items()
    }
    assert (view.n, view.ts, view.is_exhausted) == (0, None, False)
    assert await view.peek() == Upcoming(1, DAY_MS + 50)


async def test_clock_runs_to_a_time_that_belongs_to_it(dataset):
    view = await open_view(dataset)

    moved = await view.advance(until_ts=DAY_MS + 300)

    assert moved == {"trades.BTCUSDT": 6, "trades.ETHUSDT": 2}
    assert heads(view) == {"trades.BTCUSDT": 6, "trades.ETHUSDT": 2, "klines.BTCUSDT.1m": 0}
    assert (view.n, view.ts) == (8, DAY_MS + 300)
    assert await view.peek() == Upcoming(9, DAY_MS + 350)


async def test_clock_runs_by_a_count(dataset):
    view = await open_view(dataset)

    moved = [await view.advance(count=count) for count in (3, 1, 0)]

    # At 150 ms both symbols have a trade, BTCUSDT's first.
    assert moved == [{"trades.BTCUSDT": 3}, {"trades.ETHUSDT": 1}, {}]
    assert (view.n, view.ts) == (4, DAY_MS + 150)


async def test_smaller_of_count_and_time_holds(dataset):
    view = await open_view(dataset)

    by_count = await view.advance(until_ts=DAY_MS + 1000, count=2)
    by_time = await view.advance(until_ts=DAY_MS + 100, count=5)

    assert (by_count, by_time) == ({"trades.BTCUSDT": 2}, {})


async def test_clock_runs_to_the_end(dataset):
    view = await open_view(dataset)

    moved = await view.advance()

    assert moved == {
        "trades.BTCUSDT": COUNT,
        "trades.ETHUSDT": COUNT // 3,
        "klines.BTCUSDT.1m": 5,
    }
    assert (view.n, view.ts) == (TOTAL, DAY_MS + COUNT * 50)
    assert await view.peek() is None
    assert view.is_exhausted
    assert await view.advance() == {}


async def test_end_is_the_same_in_one_run_and_in_many_steps(dataset):
    at_once, stepped = await open_view(dataset), await open_view(dataset)

    await at_once.advance()
    while upcoming := await stepped.peek():
        await stepped.advance(until_ts=upcoming.ts + 7777)

    assert stepped.receipts() == at_once.receipts()
    assert stepped.n == at_once.n


@pytest.mark.parametrize("n", [1, 100, 4095, 7001, TOTAL])
@pytest.mark.parametrize("with_checkpoint", [True, False])
async def test_view_comes_back_to_where_it_was(dataset, n, with_checkpoint):
    view = await open_view(dataset)
    await view.advance(count=n)

    again = await open_view(dataset, n=n, checkpoint=view.checkpoint() if with_checkpoint else None)

    assert (again.n, again.receipts()) == (view.n, view.receipts())
    assert await again.peek() == await view.peek()
    assert await again.advance() == await view.advance()
    assert again.receipts() == view.receipts()


async def test_checkpoint_makes_the_way_back_short(dataset):
    view = await open_view(dataset)
    await view.advance(count=7000)
    kept = view.checkpoint()

    again = await open_view(dataset, n=7000, checkpoint=kept)

    assert 7000 - kept["n"] < 1000
    assert again.logs[0].window.spans[0].first > 4000


async def test_checkpoint_beyond_n_is_not_taken(dataset):
    view = await open_view(dataset)
    await view.advance(count=7000)

    again = await open_view(dataset, n=7, checkpoint=view.checkpoint())

    assert again.n == 7


async def test_checkpoint_of_other_files_is_not_taken(dataset, tmp_path):
    view = await open_view(dataset)
    await view.advance(count=7000)
    path = tmp_path / dataset.topics[0].files[0].name
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(["bad row\n", *lines]))

    again = await open_view(dataset, n=7000, checkpoint=view.checkpoint())

    assert again.receipts() == view.receipts()
    assert again.report.count == 1


async def test_source_that_became_shorter_ends_where_it_ends(dataset):
    view = await open_view(dataset, n=TOTAL + 1000)

    assert (view.n, view.is_exhausted) == (TOTAL, True)


async def test_bad_rows_are_counted_once(dataset, tmp_path):
    path = tmp_path / dataset.topics[0].files[0].name
    path.write_text("1,2,3\n" + path.read_text())
    view = await open_view(dataset, window_records=100)

    await view.advance()
    await view.logs[0].read(0)
    await view.logs[0].match(COUNT)

    assert [(row.line, row.reason) for row in view.report.rows] == [(1, "3 columns instead of 6")]
    assert view.report.count == 1


async def test_cancelled_advance_loses_nothing(dataset):
    view = await open_view(dataset)
    running = asyncio.create_task(view.advance())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await view.advance()

    assert view.n == TOTAL
    assert heads(view) == {
        "trades.BTCUSDT": COUNT,
        "trades.ETHUSDT": COUNT // 3,
        "klines.BTCUSDT.1m": 5,
    }


async def test_unreadable_file_stops_the_clock_until_it_is_back(dataset, tmp_path):
    view = await open_view(dataset)
    await view.advance(count=10)
    path = tmp_path / dataset.topics[0].files[0].name
    away = path.rename(tmp_path / "away.csv")

    with pytest.raises(SourceUnreadable):
        await view.advance()
    shown = view.n
    away.rename(path)
    await view.advance()

    assert 10 < shown < TOTAL
    assert view.n == TOTAL


async def test_closing_waits_for_what_is_being_read(dataset):
    view = await open_view(dataset)
    await view.advance(count=1)

    await view.close()

    assert len(asyncio.all_tasks()) == 1
