"""The engine of historical sources, as the hub meets it."""

import asyncio

import pytest

from streaming.core import position
from streaming.core.errors import SourceUnreadable, TopicNotFound
from streaming.engines.replay import ReplayView
from streaming.engines.replay_engine import ReplayEngine
from streaming.sources import source
from streaming.sources.source import SourceSpec
from tests import archive
from tests.archive import DAY_MS, trade

SESSION = "5b0b8a2e-3f0d-4b57-9c0e-5a6c1c3d2e1f"
TRADES = (SESSION, "trades.BTCUSDT")
AGG_TRADES = (SESSION, "aggTrades.BTCUSDT")
NAMES = ["trades.BTCUSDT", "aggTrades.BTCUSDT"]


@pytest.fixture
def dataset(tmp_path):
    archive.write(tmp_path, NAMES[0], [trade(number, DAY_MS + number) for number in range(1, 9)])
    archive.write(
        tmp_path, NAMES[1], [archive.agg_trade(number, DAY_MS + 100) for number in range(3)]
    )
    return source.open_source(SourceSpec(tmp_path, tuple(NAMES)))


async def open_view(dataset, epoch="00000000000000a1", session_id=SESSION):
    return await ReplayView.open(dataset, session_id=session_id, epochs=dict.fromkeys(NAMES, epoch))


async def nothing(session_id):
    return None


class Views:
    """Makes views as a driver does, and counts how often."""

    def __init__(self, dataset, *, failures=0):
        self.dataset = dataset
        self.failures = failures
        self.asked: list[str] = []

    async def load(self, session_id):
        self.asked.append(session_id)
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise SourceUnreadable
        return await open_view(self.dataset) if session_id == SESSION else None


async def test_view_is_loaded_once_for_all_that_ask(dataset):
    views = Views(dataset)
    engine = ReplayEngine(load=views.load)

    logs = await asyncio.gather(*(engine.open(key) for key in (TRADES, AGG_TRADES, TRADES)))

    view = await engine.view(SESSION)
    assert view is not None
    assert logs == [view.logs[0], view.logs[1], view.logs[0]]
    assert views.asked == [SESSION]


async def test_session_without_a_source_is_asked_for_once(dataset):
    views = Views(dataset)
    engine = ReplayEngine(load=views.load)

    found = [await engine.open(("another", "trades.BTCUSDT")) for _ in range(3)]

    assert found == [None, None, None]
    assert views.asked == ["another"]


async def test_view_that_could_not_be_loaded_is_loaded_when_asked_again(dataset):
    views = Views(dataset, failures=1)
    engine = ReplayEngine(load=views.load)

    with pytest.raises(SourceUnreadable):
        await engine.open(TRADES)

    assert await engine.open(TRADES) is not None
    assert views.asked == [SESSION, SESSION]


async def test_view_of_a_session_forgotten_while_loading_is_let_go(dataset):
    views = Views(dataset)
    engine = ReplayEngine(load=views.load)
    asking = asyncio.create_task(engine.open(TRADES))
    await asyncio.sleep(0)

    await engine.forget(SESSION)

    await asking
    assert list(engine.names(SESSION)) == []


async def test_topics_of_an_attached_view_are_this_engines(dataset):
    engine = ReplayEngine(load=nothing)
    view = await open_view(dataset)

    before = engine.attach(view)
    log = view.logs[0]

    assert before is None
    assert await engine.view(SESSION) is view
    assert list(engine.names(SESSION)) == NAMES
    assert await engine.open(TRADES) is await engine.open(TRADES) is log
    assert await engine.open((SESSION, "signals.mine")) is None
    assert await engine.open(("another", "trades.BTCUSDT")) is None
    assert list(engine.names("another")) == []


async def test_waiting_ends_with_the_topics_that_moved(dataset):
    engine = ReplayEngine(load=nothing)
    view = await open_view(dataset)
    engine.attach(view)
    known = await engine.wait([TRADES, AGG_TRADES, (SESSION, "")], 5)
    waiting = asyncio.create_task(engine.wait([TRADES, AGG_TRADES], 5))

    await view.advance(until_ts=DAY_MS + 4)

    assert known == {TRADES, AGG_TRADES}
    assert await waiting == {TRADES}
    log = await engine.open(TRADES)
    assert log is not None
    assert log.head == 4


async def test_empty_name_loads_the_view_and_stands_for_all_its_topics(dataset):
    async def load(session_id):
        return await open_view(dataset, session_id=session_id)

    engine = ReplayEngine(load=load)

    found = await engine.wait([(SESSION, "")], 5)

    assert found == {TRADES, AGG_TRADES}
    assert list(engine.names(SESSION)) == NAMES


async def test_pattern_that_is_added_while_one_waits_loads_the_view(dataset):
    views = Views(dataset)
    engine = ReplayEngine(load=views.load)
    engine.attach(another := await open_view(dataset, session_id="another"))
    keys = [("another", ""), ("another", NAMES[0])]
    await engine.wait(keys, 5)
    keys.pop()
    waiting = asyncio.create_task(engine.wait(keys, 5))
    await asyncio.sleep(0)

    keys.append((SESSION, ""))
    await another.advance(count=1)

    assert await waiting == {TRADES, AGG_TRADES}
    assert views.asked == [SESSION]


async def test_source_without_files_has_no_topics_yet():
    async def load(session_id):
        raise TopicNotFound(topic=session_id)

    engine = ReplayEngine(load=load)

    assert await engine.wait([(SESSION, "")], 0.01) == set()
    assert list(engine.names(SESSION)) == []


async def test_keys_that_are_added_while_one_waits_count(dataset):
    engine = ReplayEngine(load=nothing)
    view = await open_view(dataset)
    engine.attach(view)
    keys = [AGG_TRADES]
    await engine.wait([TRADES, AGG_TRADES], 5)
    waiting = asyncio.create_task(engine.wait(keys, 5))
    await asyncio.sleep(0)

    keys.append(TRADES)
    await view.advance(until_ts=DAY_MS + 4)

    assert await waiting == {TRADES}


async def test_move_before_the_waiting_is_not_missed(dataset):
    engine = ReplayEngine(load=nothing)
    view = await open_view(dataset)
    engine.attach(view)
    await view.advance()

    assert await engine.wait([AGG_TRADES], 5) == {AGG_TRADES}
    assert await engine.wait([TRADES], 5) == {TRADES}


async def test_waiting_for_a_clock_that_stands_ends_with_nothing(dataset):
    engine = ReplayEngine(load=nothing)
    engine.attach(await open_view(dataset))
    await engine.wait([TRADES], 5)

    assert await engine.wait([TRADES], 0.01) == set()


async def test_second_view_takes_over_the_logs_of_the_first(dataset):
    engine = ReplayEngine(load=nothing)
    first = await open_view(dataset)
    engine.attach(first)
    log = await engine.open(TRADES)
    await first.advance()
    second = await open_view(dataset, epoch="00000000000000b2")

    before = engine.attach(second)
    await second.advance(count=2)

    assert before is first
    assert log is await engine.open(TRADES)
    assert log is not None
    assert (log.epoch, log.head) == ("00000000000000b2", 2)
    assert await log.match(0) == position.genesis("trades.BTCUSDT", "00000000000000b2")


async def test_forgotten_session_has_no_topics_any_more(dataset):
    engine = ReplayEngine(load=nothing)
    engine.attach(await open_view(dataset))
    engine.attach(other := await open_view(dataset, session_id="another"))

    await engine.forget(SESSION)
    await engine.forget("never there")

    assert await engine.view(SESSION) is None
    assert await engine.open(TRADES) is None
    assert await engine.wait([TRADES], 0.01) == set()
    assert await engine.open(("another", "trades.BTCUSDT")) is other.logs[0]
