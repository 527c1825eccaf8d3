"""Setting a clock on and back: what subscribers of its topics are told, and where logs begin."""

import itertools

import pytest

from streaming.core.messages import Request
from streaming.core.position import Cursor
from streaming.core.resume import Start
from streaming.engines import replay_seek
from streaming.engines.memory import MemoryEngine
from streaming.engines.replay import ReplayView, Upcoming
from streaming.engines.replay_engine import ReplayEngine
from streaming.hub import Hub
from streaming.sources import source
from streaming.sources.source import SourceSpec
from tests import archive
from tests.archive import DAY_MS, trade
from tests.hubs import SESSION, Client, Reader, seat, settle

TRADES, ETHER = "trades.BTCUSDT", "trades.ETHUSDT"
EPOCHS = {TRADES: "00000000000000a1", ETHER: "00000000000000a2"}
COUNT = 600


@pytest.fixture
def dataset(tmp_path):
    """A trade of one symbol each 10 ms, of the other each 30 ms."""
    bitcoin = [trade(number, DAY_MS + number * 10) for number in range(1, COUNT + 1)]
    ether = [trade(number, DAY_MS + number * 30) for number in range(1, COUNT // 3 + 1)]
    archive.write(tmp_path, TRADES, bitcoin)
    archive.write(tmp_path, ETHER, ether)
    return archive.in_small_blocks(source.open_source(SourceSpec(tmp_path, tuple(EPOCHS))), 2048)


async def open_view(dataset, **changes):
    return await ReplayView.open(dataset, session_id=SESSION, epochs=EPOCHS, **changes)


class Stage:
    """A hub over one view, whose clock a test lets run and sets."""

    def __init__(self, view):
        async def load(session_id):
            return view

        self.view = view
        self.engine = ReplayEngine(load=load)
        self.hub = Hub(engines=[self.engine, MemoryEngine()])
        self._epochs = (f"{number:016x}" for number in itertools.count(0xB1))

    async def advance(self, ms):
        await self.view.advance(until_ts=DAY_MS + ms)
        await self.hub.room(SESSION)
        await settle(self.hub)
        # What it shows is read from files, in threads.
        await self.hub.is_delivered(SESSION, wait_seconds=20)
        await settle(self.hub)

    async def seek(self, ms):
        target = await replay_seek.find(self.view, DAY_MS + ms, mint=lambda: next(self._epochs))
        self.view = await replay_seek.reopen(self.view, target, generation=1)
        self.engine.attach(self.view)
        await self.hub.room(SESSION)
        await settle(self.hub)
        return target


async def staged(dataset):
    return Stage(await open_view(dataset))


async def follow(stage, *topics, name="h", **fields):
    client = Client()
    await stage.hub.subscribe(seat(name, is_historical=True, **fields), client.send, topics)
    return client


def heads(view):
    return {name: place.seq for name, place in view.receipts().items()}


async def test_clock_set_on_skips_records_and_says_exactly_which(dataset):
    stage = await staged(dataset)
    client = await follow(stage, TRADES, ETHER)
    await stage.advance(100)

    target = await stage.seek(1000)
    await stage.advance(1030)

    assert not target.is_anew
    assert stage.view.n == 103 + 34
    gaps = {
        (one["topic"], one["from"], one["to"], one["count"], one["reason"]) for one in gap(client)
    }
    assert gaps == {(TRADES, 11, 99, 89, "seek"), (ETHER, 4, 33, 30, "seek")}
    read = Reader().read(client)
    assert {name: track.epoch for name, track in read.tracks.items()} == EPOCHS
    assert [track.seq for _, track in sorted(read.tracks.items())] == [103, 34]


def gap(client):
    return client.told("GAP")


async def test_clock_set_back_begins_new_epochs_and_repeats_nothing_silently(dataset):
    stage = await staged(dataset)
    client = await follow(stage, TRADES, ETHER)
    await stage.advance(1000)

    target = await stage.seek(500)
    before = heads(stage.view)
    await stage.advance(530)

    assert target.is_anew
    assert set(target.epochs.values()).isdisjoint(EPOCHS.values())
    # The record at the time itself comes again.
    assert before == {TRADES: 49, ETHER: 16}
    told = {one["topic"]: one for one in gap(client)}
    assert {name: (one["count"], one["reason"], one["next"]) for name, one in told.items()} == {
        TRADES: (None, "epoch", 50),
        ETHER: (None, "epoch", 17),
    }
    assert told[TRADES]["prev"]["epoch"] == EPOCHS[TRADES]
    assert (told[TRADES]["prev"]["seq"], told[TRADES]["epoch"]) == (100, target.epochs[TRADES])
    read = Reader().read(client)
    assert {name: (track.epoch, track.seq) for name, track in read.tracks.items()} == {
        TRADES: (target.epochs[TRADES], 53),
        ETHER: (target.epochs[ETHER], 17),
    }


async def test_clock_of_which_nobody_knows_how_far_it_was_begins_new_epochs_either_way(dataset):
    stage = await staged(dataset)
    await stage.advance(100)

    target = await replay_seek.find(
        stage.view, DAY_MS + 1000, mint=iter(["b" * 16, "c" * 16]).__next__, is_sure=False
    )

    assert target.is_anew
    assert dict(target.epochs) == {TRADES: "b" * 16, ETHER: "c" * 16}


async def test_records_keep_their_numbers_and_places_wherever_the_clock_was_set(dataset):
    straight = await open_view(dataset)
    await straight.advance()
    stage = await staged(dataset)
    await stage.advance(4000)
    for ms in (1000, 3000, 2995, 10, 0):
        await stage.seek(ms)
    await stage.seek(1505)
    begins = [log.start for log in stage.view.logs]
    await stage.view.advance()

    for log, other, begin in zip(stage.view.logs, straight.logs, begins, strict=True):
        cut, same = await log.read(begin - 1, limit=20), await other.read(begin - 1, limit=20)
        assert cut is not None
        assert same is not None
        assert (cut.first, cut.ts, cut.data, cut.n) == (same.first, same.ts, same.data, same.n)
    assert stage.view.n == straight.n


async def test_component_that_was_away_while_the_clock_was_set_on_is_told_what_it_missed(dataset):
    stage = await staged(dataset)
    await stage.advance(100)
    ck = await stage.view.logs[0].match(5)
    await stage.seek(1000)
    await stage.advance(1010)

    cursor = Cursor(EPOCHS[TRADES], 5, ck)
    client = await follow(stage, Request(TRADES, cursor=cursor))
    await settle(stage.hub)

    [told] = gap(client)
    assert (told["from"], told["to"], told["count"], told["next"]) == (6, 99, 94, 100)
    assert client.seqs == [100, 101]


async def test_earliest_is_where_the_clock_was_set_to(dataset):
    stage = await staged(dataset)
    await stage.advance(1000)
    await stage.seek(505)
    await stage.advance(530)

    client = await follow(stage, Request(TRADES, begin=Start("earliest")))
    await settle(stage.hub)

    assert client.seqs == [51, 52, 53]
    assert gap(client) == []


async def test_closed_gate_hears_of_it_when_it_opens(dataset):
    stage = await staged(dataset)
    client = await follow(stage, TRADES)
    await stage.advance(100)
    await stage.hub.gate("component-h", is_open=False, fence=1)

    await stage.seek(1000)
    while_closed = gap(client)
    await stage.hub.gate("component-h", is_open=True, fence=1)
    await stage.advance(1000)

    assert while_closed == []
    assert [(one["from"], one["to"]) for one in gap(client)] == [(11, 99)]
    assert client.seqs[-1] == 100


async def test_place_that_was_set_survives_the_process(dataset):
    stage = await staged(dataset)
    await stage.advance(2000)
    target = await stage.seek(1003)
    await stage.view.advance(count=50)

    again = await ReplayView.open(
        dataset,
        session_id=SESSION,
        epochs=target.epochs,
        n=stage.view.n,
        checkpoint=stage.view.checkpoint(),
        base=target.base,
    )

    assert again.receipts() == stage.view.receipts()
    assert [log.start for log in again.logs] == [log.start for log in stage.view.logs]
    assert await again.logs[0].match(again.logs[0].start - 1) == target.mark.places[0].taken_ck
    assert await again.logs[0].match(again.logs[0].start - 2) is None
    assert await again.peek() == await stage.view.peek()


async def test_clock_can_be_set_to_the_very_end_and_the_very_beginning(dataset):
    stage = await staged(dataset)
    await stage.advance(1000)

    await stage.seek(10_000_000)
    at_end = (stage.view.n, await stage.view.peek())
    await stage.seek(-5)

    assert at_end == (COUNT + COUNT // 3, None)
    assert (stage.view.n, await stage.view.peek()) == (0, Upcoming(1, DAY_MS + 10))
    assert stage.view.logs[0].start == 1


async def test_component_that_is_released_after_the_clock_was_set_back_has_its_end(dataset):
    stage = await staged(dataset)
    client = await follow(stage, TRADES, window=10)
    await stage.advance(1000)
    await stage.hub.release("component-h", fence=1, reason="stopped")

    await stage.seek(500)

    [end] = client.told("END")
    assert (end["epoch"], end["seq"]) == (stage.view.epochs[TRADES], 49)
    assert client.closed == 1000
    Reader().read(client)
