import asyncio

import pytest

from streaming.core.messages import Commit, Request
from streaming.core.position import Cursor
from streaming.core.resume import Start
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub, Limits
from tests.engines import ClockEngine
from tests.hubs import (
    SESSION,
    Client,
    Reader,
    connection_of,
    plain_seat,
    publish,
    seat,
    settle,
    until,
)

# Two topics of one clock: the trades have n 1 2 5 6, the klines 3 4 7.
TRADES = [(n, f"t{n}") for n in (1, 2, 5, 6)]
KLINES = [(n, f"k{n}") for n in (3, 4, 7)]
TOPICS = {"trades.BTC": TRADES, "klines.BTC": KLINES}


def replay(topics=TOPICS, **limits):
    source = ClockEngine(topics)
    return Hub(engines=[source, MemoryEngine()], limits=Limits(**limits)), source


def historical(name="h", **fields):
    return seat(name, is_historical=True, **fields)


async def advance(hub, source, n):
    source.advance(n)
    await hub.room(SESSION)
    await settle(hub)


async def test_topics_of_one_source_come_in_the_order_of_their_clock():
    hub, source = replay()
    client = Client()
    await hub.subscribe(historical(), client.send, ["klines.BTC", "trades.BTC"])

    await advance(hub, source, 7)

    batches = [(frame["n"], frame["msgs"]) for frame in client.frames[1:]]
    assert batches == [
        ([1, 2], ["t1", "t2"]),
        ([3, 4], ["k3", "k4"]),
        ([5, 6], ["t5", "t6"]),
        ([7], ["k7"]),
    ]


async def test_topic_whose_past_must_be_read_from_a_file_first_is_not_overtaken():
    hub, source = replay()
    client = Client()
    await hub.subscribe(historical(), client.send, ["klines.BTC", "trades.BTC"])
    klines, is_read = source.logs["klines.BTC"], asyncio.Event()
    match = klines.match

    async def match_later(seq):
        await is_read.wait()
        return await match(seq)

    klines.match = match_later
    await advance(hub, source, 7)
    before = [data for _, _, data in client.records]
    is_read.set()
    await settle(hub)

    assert before == ["t1", "t2"]
    assert [data for _, _, data in client.records] == ["t1", "t2", "k3", "k4", "t5", "t6", "k7"]


async def test_plain_records_tell_their_place_in_the_clock_order():
    hub, source = replay()
    client = Client()
    own = plain_seat("h", is_historical=True)
    await hub.subscribe(own, client.send, ["klines.BTC", "trades.BTC"])

    await advance(hub, source, 7)

    assert [frame["n"] for frame in client.frames[1:]] == [1, 2, 3, 4, 5, 6, 7]
    assert [frame["ts"] for frame in client.frames[1:3]] == [1001, 1002]


async def test_clock_lets_nothing_through_that_it_has_not_reached():
    hub, source = replay()
    client = Client()
    await hub.subscribe(historical(), client.send, ["klines.BTC", "trades.BTC"])

    for n in (1, 3, 6, 7):
        await advance(hub, source, n)

    assert [data for _, _, data in client.records] == ["t1", "t2", "k3", "k4", "t5", "t6", "k7"]
    Reader().read(client)


async def test_slices_cut_alike_are_shared():
    hub, source = replay()
    first, second = Client(), Client()
    for name, client in (("x", first), ("y", second)):
        await hub.subscribe(historical(name), client.send, ["klines.BTC", "trades.BTC"])

    await advance(hub, source, 7)

    pairs = list(zip(first.messages[1:], second.messages[1:], strict=True))
    assert len(pairs) == 4
    assert all(one["text"] is other["text"] for one, other in pairs)


async def test_resumed_cursors_are_merged_in_the_same_order():
    hub, source = replay()
    source.advance(7)
    client = Client()
    trades, klines = source.logs["trades.BTC"], source.logs["klines.BTC"]

    await hub.subscribe(
        historical(),
        client.send,
        [
            Request("klines.BTC", cursor=Cursor(klines.epoch, 1, klines.cks[1])),
            Request("trades.BTC", cursor=Cursor(trades.epoch, 3, trades.cks[3])),
        ],
    )
    await settle(hub)

    assert [data for _, _, data in client.records] == ["k4", "t6", "k7"]
    assert client.told("GAP") == []


async def test_cursor_ahead_of_the_clock_waits_for_it():
    hub, source = replay()
    client = Client()
    log = source.logs["trades.BTC"]
    cursor = Cursor(log.epoch, 3, log.cks[3])

    answer = await hub.subscribe(historical(), client.send, [Request("trades.BTC", cursor=cursor)])
    await advance(hub, source, 5)
    before = list(client.records)
    await advance(hub, source, 7)

    assert answer["topics"][0]["resumed"] is True
    assert before == []
    assert [data for _, _, data in client.records] == ["t6"]


async def test_start_ahead_of_the_clock_waits_for_it_too():
    hub, source = replay()
    client = Client()

    answer = await hub.subscribe(
        historical(), client.send, [Request("trades.BTC", Start("seq", 3))]
    )
    await advance(hub, source, 7)

    assert answer["topics"][0]["next"] == 3
    assert [data for _, _, data in client.records] == ["t5", "t6"]


async def test_topic_without_a_source_is_unknown_until_somebody_publishes_it():
    hub, _ = replay()
    client = Client()

    refused = await hub.subscribe(historical(), client.send, ["signals.x"])
    await publish(hub, "signals.x", "mine")
    answer = await hub.subscribe(
        historical(), client.send, [Request("signals.x", Start("earliest"))]
    )

    assert [error["code"] for error in refused["errors"]] == ["UNKNOWN_TOPIC"]
    assert answer["errors"] == []
    assert [data for _, _, data in client.records] == ["mine"]


async def test_wildcard_takes_the_topics_of_the_source():
    hub, source = replay()
    client = Client()

    answer = await hub.subscribe(historical(), client.send, ["*.BTC"])
    await advance(hub, source, 3)

    assert [entry["topic"] for entry in answer["topics"]] == ["klines.BTC", "trades.BTC"]
    assert [data for _, _, data in client.records] == ["t1", "t2", "k3"]


async def test_clock_of_a_running_hub_is_followed_without_being_asked():
    hub, source = replay(look_seconds=0.005)
    client = Client()
    await hub.start()
    try:
        await hub.subscribe(historical(), client.send, ["klines.BTC", "trades.BTC"])
        source.advance(7)
        await until(lambda: len(client.records) == 7)
    finally:
        await hub.stop()

    assert [data for _, _, data in client.records] == ["t1", "t2", "k3", "k4", "t5", "t6", "k7"]


async def test_release_ends_every_topic_after_its_last_record():
    hub, source = replay()
    client = Client()
    await hub.subscribe(historical(), client.send, ["klines.BTC", "trades.BTC"])
    source.advance(5)

    await hub.release("component-h", fence=1, reason="session_stopped")
    await settle(hub)

    reader = Reader().read(client)
    ends = {name: track.end["seq"] for name, track in reader.tracks.items()}
    assert ends == {"klines.BTC": 2, "trades.BTC": 3}


# Room


LONG = {"trades.BTC": [(n, n) for n in range(1, 2001)]}


async def test_nobody_running_is_no_room():
    hub, _ = replay(LONG)

    nobody = await hub.room(SESSION)
    hub.connect(historical(), Client().send)
    behind_a_gate = await hub.room(SESSION, wait_seconds=0.005)
    await hub.gate("component-h", is_open=True, fence=1)

    assert (nobody, behind_a_gate) == (False, False)
    assert await hub.room(SESSION) is True


async def test_source_waits_for_the_slowest_that_runs():
    hub, source = replay(LONG)
    quick, slow = Client(), Client()
    await hub.subscribe(historical("q"), quick.send, ["trades.BTC"])
    await hub.subscribe(historical("s"), slow.send, ["trades.BTC"])
    slow.stall()
    source.advance(10)
    await settle(hub)
    early = await hub.room(SESSION)
    source.advance(1000)

    has_room = await hub.room(SESSION, wait_seconds=0.01)
    progress = {one.component_id: one.behind for one in hub.progress(SESSION)}
    slow.go_on()

    assert early is True
    assert has_room is False
    assert progress == {"component-q": 0, "component-s": 990}
    assert await hub.room(SESSION, wait_seconds=5) is True
    assert await hub.is_delivered(SESSION, wait_seconds=5) is True
    assert slow.seqs == quick.seqs == list(range(1, 1001))


async def test_window_is_what_room_means_to_those_who_asked_for_one():
    hub, source = replay(LONG)
    client = Client()
    own = historical(window=5)
    await hub.subscribe(own, client.send, ["trades.BTC"])
    source.advance(5)
    full = await hub.room(SESSION, wait_seconds=0.01)
    (progress,) = hub.progress(SESSION)

    hub.commit(connection_of(hub, "h"), Commit({"trades.BTC": 5}))

    assert full is False
    assert (progress.behind, progress.uncommitted) == (0, 5)
    assert await hub.room(SESSION) is True


async def test_dead_component_is_left_behind_and_loses_nothing():
    hub, source = replay(LONG, block_seconds=0.02)
    dead = Client()
    await hub.subscribe(historical(), dead.send, ["trades.BTC"])
    dead.stall()
    source.advance(1)
    await settle(hub)
    source.advance(1000)

    at_first = await hub.room(SESSION)
    await until_room(hub)
    (left_behind,) = hub.progress(SESSION)
    dead.go_on()
    await until(lambda: len(dead.seqs) == 1000)
    await hub.room(SESSION)
    (caught_up,) = hub.progress(SESSION)

    assert at_first is False
    assert (left_behind.is_left_behind, caught_up.is_left_behind) == (True, False)
    assert Reader().read(dead).tracks["trades.BTC"].missing == []


async def until_room(hub):
    while not await hub.room(SESSION, wait_seconds=0.005):
        pass


async def test_delivered_means_that_all_who_run_were_sent_everything():
    hub, source = replay(LONG)
    client = Client()
    await hub.subscribe(historical(), client.send, ["trades.BTC"])
    client.stall()
    source.advance(3)

    before = await hub.is_delivered(SESSION, wait_seconds=0.005)
    client.go_on()

    assert before is False
    assert await hub.is_delivered(SESSION, wait_seconds=5) is True
    assert client.seqs == [1, 2, 3]


@pytest.mark.parametrize("leaves", ["gate", "socket"])
async def test_who_leaves_is_not_waited_for(leaves):
    hub, source = replay(LONG)
    quick, slow = Client(), Client()
    await hub.subscribe(historical("q"), quick.send, ["trades.BTC"])
    await hub.subscribe(historical("s"), slow.send, ["trades.BTC"])
    slow.stall()
    source.advance(1)
    await settle(hub)
    source.advance(1000)
    before = await hub.room(SESSION)

    if leaves == "gate":
        await hub.gate("component-s", is_open=False, fence=1)
    else:
        connection_of(hub, "s").lose()

    assert before is False
    assert await hub.room(SESSION, wait_seconds=5) is True
    slow.go_on()
