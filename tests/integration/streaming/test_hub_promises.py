import pytest

from streaming.core import position
from streaming.core.errors import CloseCode
from streaming.core.messages import Commit, Hold, Request
from streaming.core.position import Cursor
from streaming.core.resume import Start
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub, Limits
from tests.hubs import SESSION, Client, Reader, connection_of, plain_seat, publish, seat, settle

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)
EPOCH, NEXT_EPOCH = "a" * 16, "b" * 16
FENCE = {"fence": 1}


def small(records=4, **limits):
    """A hub that keeps only a few records of each topic."""
    engine = MemoryEngine(retention=Retention(default=Keep(records=records)), mint=lambda: EPOCH)
    return Hub(engines=[engine], limits=Limits(**limits), mint=lambda: NEXT_EPOCH)


async def cursor_at(hub, seq, **trail):
    ck = await hub.board.lines[KEY].log.match(seq)
    return Cursor(EPOCH, seq, ck, **trail)


async def cut_tail(hub, count):
    """The store loses its newest records and keeps its epoch, as a failed-over replica does."""
    log = hub.board.lines[KEY].log
    del log._data[-count:], log._ts[-count:], log._cks[-count * 8 :]
    log.head -= count
    log.ck = log._ck_at(log.head + 1 - log._base)


# Resuming


@pytest.mark.parametrize("make_seat", [seat, plain_seat])
async def test_resumed_subscriber_gets_what_follows_and_nothing_twice(make_seat):
    hub = small(records=100)
    await publish(hub, TOPIC, 1, 2, 3, 4)
    client = Client()

    answer = await hub.subscribe(
        make_seat(), client.send, [Request(TOPIC, cursor=await cursor_at(hub, 2))]
    )
    await settle(hub)

    entry = answer["topics"][0]
    assert (entry["resumed"], entry["next"]) == (True, 3)
    assert client.seqs == [3, 4]


async def test_cursor_that_retention_passed_is_told_exactly_what_is_gone():
    hub = small(records=4)
    await publish(hub, TOPIC, 1, 2)
    cursor = await cursor_at(hub, 2)
    await publish(hub, TOPIC, *range(3, 11))
    client = Client()

    await hub.subscribe(seat(), client.send, [Request(TOPIC, cursor=cursor)])
    await settle(hub)

    (gap,) = client.told("GAP")
    anchor = await hub.board.lines[KEY].log.match(6)
    assert (gap["from"], gap["to"], gap["count"], gap["next"]) == (3, 6, 4, 7)
    assert (gap["reason"], gap["ck"]) == ("retention", anchor.hex())
    assert client.seqs == [7, 8, 9, 10]


async def test_cursor_at_the_edge_of_retention_is_proven_by_the_anchor():
    hub = small(records=4)
    await publish(hub, TOPIC, *range(1, 7))
    cursor = await cursor_at(hub, 6)
    await publish(hub, TOPIC, *range(7, 11))
    client = Client()

    answer = await hub.subscribe(seat(), client.send, [Request(TOPIC, cursor=cursor)])

    assert answer["topics"][0]["resumed"] is True
    assert client.told("GAP") == []


async def test_cursor_of_another_log_is_told_both_positions_and_no_count():
    hub = small()
    await publish(hub, TOPIC, 1, 2, 3)
    client = Client()
    cursor = Cursor("f" * 16, 9, b"12345678")

    await hub.subscribe(seat(), client.send, [Request(TOPIC, cursor=cursor)])
    await publish(hub, TOPIC, 4)
    await settle(hub)

    (gap,) = client.told("GAP")
    assert (gap["from"], gap["to"], gap["count"], gap["reason"]) == (None, None, None, "epoch")
    assert gap["prev"] == cursor.as_dict()
    assert (gap["epoch"], gap["next"]) == (EPOCH, 4)
    assert client.seqs == [4]


async def test_trail_rewinds_to_the_highest_point_that_matches():
    hub = small(records=100)
    await publish(hub, TOPIC, 1, 2, 3)
    shared = await cursor_at(hub, 2)
    cursor = Cursor(EPOCH, 3, b"lost....", ((1, b"x" * 8), (2, shared.ck)))
    client, plain = Client(), Client()

    await hub.subscribe(seat(), client.send, [Request(TOPIC, cursor=cursor)])
    await hub.subscribe(plain_seat(), plain.send, [Request(TOPIC, cursor=cursor)])
    await settle(hub)

    (rewind,) = client.told("REWIND")
    assert (rewind["to"], rewind["ck"], rewind["epoch"]) == (2, shared.ck.hex(), EPOCH)
    assert client.seqs == plain.seqs == [3]
    assert [gap["count"] for gap in plain.told("GAP")] == [None]


# The log takes something back


async def test_lost_tail_is_a_new_epoch_and_everyone_is_placed_anew():
    hub = small(records=100)
    at_head, behind, plain = Client(), Client(), Client()
    await hub.subscribe(seat("a"), at_head.send, [TOPIC])
    await hub.subscribe(plain_seat("p"), plain.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)
    await publish(hub, TOPIC, 2, 3)
    await settle(hub)

    await cut_tail(hub, 2)
    await hub.subscribe(seat("b"), behind.send, [TOPIC])
    await publish(hub, TOPIC, "two", "three", "four")
    await settle(hub)

    assert hub.board.lines[KEY].log.epoch == NEXT_EPOCH
    (rewind,) = at_head.told("REWIND")
    assert (rewind["to"], rewind["epoch"]) == (1, NEXT_EPOCH)
    assert [data for _, _, data in at_head.records] == [1, 2, 3, "two", "three", "four"]
    assert [data for _, _, data in behind.records] == ["two", "three", "four"]
    (gap,) = plain.told("GAP")
    assert (gap["count"], gap["epoch"], gap["next"]) == (None, NEXT_EPOCH, 2)
    assert [data for _, _, data in plain.records] == [1, 2, 3, "two", "three", "four"]


async def test_log_that_comes_back_empty_is_told_as_another_epoch():
    hub = small(records=100)
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1, 2)
    await settle(hub)

    log = hub.board.lines[KEY].log
    log.__init__(KEY, epoch="d" * 16, keep=Keep(), engine=hub.board.engines[0])
    await publish(hub, TOPIC, "one")
    await publish(hub, TOPIC, "two")
    await settle(hub)
    await publish(hub, TOPIC, "three")
    await settle(hub)

    (gap,) = client.told("GAP")
    assert (gap["reason"], gap["count"], gap["epoch"], gap["next"]) == ("epoch", None, "d" * 16, 3)
    assert [data for _, _, data in client.records] == [1, 2, "three"]


async def test_connection_stalled_inside_a_slice_still_knows_its_place():
    hub = small(records=100)
    client = Client()
    await hub.subscribe(plain_seat(), client.send, [TOPIC])
    await settle(hub)
    client.stall()
    await publish(hub, TOPIC, 1, 2, 3)
    await settle(hub)

    subscription = connection_of(hub, "p").subscriptions[TOPIC]

    # The first frame is on its way; what follows it is still in the log.
    assert (subscription.next, subscription.ck) == (2, (await cursor_at(hub, 1)).ck)
    client.go_on()
    await settle(hub)
    assert client.seqs == [1, 2, 3]


# Overflow


@pytest.mark.parametrize("make_seat", [seat, plain_seat])
async def test_slow_subscriber_loses_the_oldest_and_is_told_exactly_which(make_seat):
    hub = small(records=4)
    client, reader = Client(), Reader()
    await hub.subscribe(make_seat("s"), client.send, [TOPIC])
    client.stall()
    await publish(hub, TOPIC, 0)
    await settle(hub)

    for value in range(1, 21):
        await publish(hub, TOPIC, value)
        await settle(hub, rounds=1)
    client.go_on()
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert track.seq == 21
    assert [seq for _, seq, _ in track.got] == [1, 18, 19, 20, 21]
    assert track.missing == list(range(2, 18))
    (figures,) = hub.topics(SESSION)
    assert (figures.gaps, figures.dropped) == (1, 16)


async def test_slow_subscriber_does_not_hold_up_the_others():
    hub = small(records=4)
    slow, quick = Client(), Client()
    await hub.subscribe(seat("s"), slow.send, [TOPIC])
    await hub.subscribe(seat("q"), quick.send, [TOPIC])
    slow.stall()

    for value in range(20):
        await publish(hub, TOPIC, value)
        await settle(hub, rounds=1)

    assert quick.seqs == list(range(1, 21))


async def test_subscriber_that_wants_all_or_nothing_is_closed_when_it_loses_something():
    hub = small(records=4)
    client = Client()
    await hub.subscribe(seat(), client.send, [Request(TOPIC, policy="close")])
    client.stall()
    await publish(hub, TOPIC, 0)
    await settle(hub)

    for value in range(10):
        await publish(hub, TOPIC, value)
    client.go_on()
    await settle(hub)

    assert client.told("ERROR")[0]["code"] == "SLOW_CONSUMER"
    assert client.closed is CloseCode.SLOW_CONSUMER
    assert client.seqs == [1]


async def test_conflating_subscriber_behind_gets_the_latest_of_each_key():
    hub = small(records=1000)
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [Request(TOPIC, policy="conflate", key="symbol")])
    client.stall()
    await publish(hub, TOPIC, {"symbol": "A", "v": 0})
    await settle(hub)

    records = [{"symbol": "AB"[value % 2], "v": value} for value in range(1, 300)]
    await publish(hub, TOPIC, *records, {"symbol": "C"}, "no object", {"symbol": "A", "v": 300})
    client.go_on()
    await settle(hub)
    await publish(hub, TOPIC, {"symbol": "A", "v": 301})
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert [seq for _, seq, _ in track.got] == [1, 300, 301, 302, 303, 304]
    assert track.missing == list(range(2, 300))


async def test_conflating_subscriber_without_a_key_gets_the_latest_of_all():
    hub = small(records=1000)
    client, reader = Client(), Reader()
    await publish(hub, TOPIC, *range(500))

    await hub.subscribe(seat(), client.send, [Request(TOPIC, Start("earliest"), policy="conflate")])
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert [seq for _, seq, _ in track.got] == [500]
    assert track.missing == list(range(1, 500))


async def test_conflating_subscriber_that_keeps_up_gets_everything():
    hub = small(records=1000)
    client = Client()
    await hub.subscribe(seat(), client.send, [Request(TOPIC, policy="conflate")])

    for value in range(300):
        await publish(hub, TOPIC, value)
        await settle(hub, rounds=1)

    assert client.seqs == list(range(1, 301))


# Windows and holding


async def test_window_lets_through_only_so_much_as_was_committed():
    hub = small(records=1000)
    client = Client()
    own = seat(window=3)
    await hub.subscribe(own, client.send, [TOPIC, "other"])
    await publish(hub, TOPIC, *range(10))
    await settle(hub)
    connection = connection_of(hub)
    alias = client.frames[0]["topics"][0]["alias"]
    at_first = list(client.seqs)

    hub.commit(connection, Commit({str(alias): 2, "other": 5, "9999": 1, TOPIC: 99}))
    after_alias = list(client.seqs)
    hub.commit(connection, Commit({TOPIC: 5}))

    assert at_first == [1, 2, 3]
    assert after_alias == [1, 2, 3, 4, 5]
    assert client.seqs == list(range(1, 9))
    ck = (await cursor_at(hub, 5)).ck
    assert await hub.take_commits() == [("component-a", KEY, position.Position(EPOCH, 5, ck))]
    assert await hub.take_commits() == []


async def test_paused_topic_waits_and_goes_on():
    hub = small(records=100)
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC, "other"])
    connection = connection_of(hub)

    is_held = hub.hold(connection, Hold(TOPIC, is_paused=True))
    await publish(hub, TOPIC, 1)
    await publish(hub, "other", 2)
    await settle(hub)
    meanwhile = [data for _, _, data in client.records]
    hub.hold(connection, Hold(TOPIC, is_paused=False))

    assert is_held
    assert not hub.hold(connection, Hold("unknown", is_paused=True))
    assert meanwhile == [2]
    assert [data for _, _, data in client.records] == [2, 1]


# The gate


async def connected(hub, client, **fields):
    own = seat(topics=("klines.*",), **fields)
    return hub.connect(own, client.send, abandon=client.abandon)


async def test_closed_gate_delivers_nothing_and_moves_no_cursor():
    hub = small(records=100)
    client = Client()
    await connected(hub, client)
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)
    before = list(client.seqs)

    await hub.gate("component-a", is_open=True, **FENCE)
    await publish(hub, TOPIC, 2)
    await settle(hub)
    await hub.gate("component-a", is_open=False, **FENCE)
    await publish(hub, TOPIC, 3)
    await settle(hub)
    closed = list(client.seqs)
    await hub.gate("component-a", is_open=True, **FENCE)

    assert before == []
    assert closed == [1, 2]
    assert client.seqs == [1, 2, 3]


async def test_what_was_published_before_the_gate_closed_still_goes_out():
    hub = small(records=100)
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)

    await hub.gate("component-a", is_open=False, **FENCE)

    assert client.seqs == [1]


async def test_call_for_an_older_registration_does_nothing_and_a_newer_one_replaces():
    hub = small()
    client = Client()
    await connected(hub, client, fence=5)

    await hub.gate("component-a", is_open=True, fence=4)
    await hub.prepare("component-a", fence=4)
    await hub.release("component-a", fence=4, reason="x")
    await hub.close("component-a", code=CloseCode.HEARTBEAT_MISSED, fence=4)
    is_open = connection_of(hub).is_open
    await hub.gate("component-a", is_open=True, fence=6)
    await settle(hub)

    assert is_open is False
    assert client.told("ERROR")[0]["code"] == "CONNECTION_REPLACED"
    assert client.closed is CloseCode.REPLACED
    assert hub.seated() == []
