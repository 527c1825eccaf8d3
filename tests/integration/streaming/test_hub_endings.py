import pytest

from streaming.core import position
from streaming.core.errors import CloseCode
from streaming.core.messages import Hold, Request
from streaming.core.resume import Start
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub, Limits
from tests.engines import SlowEngine
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

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)
EPOCH = "a" * 16


def hub_of(**limits):
    return Hub(engines=[MemoryEngine(mint=lambda: EPOCH)], limits=Limits(**limits))


@pytest.mark.parametrize("make_seat", [seat, plain_seat])
async def test_end_is_a_receipt_that_can_be_recomputed_from_the_frames(make_seat):
    hub = hub_of()
    client, reader = Client(), Reader()
    own = make_seat("a")
    await hub.subscribe(own, client.send, [TOPIC])
    await publish(hub, TOPIC, 1, {"b": [2]}, "drei")

    await hub.release(own.component_id, fence=1, reason="session_stopped")
    await settle(hub)

    closed = client.closed
    end = reader.read(client).tracks[TOPIC].end
    items = [b"1", b'{"b": [2]}', b'"drei"']
    ck = position.chain_all(position.genesis(TOPIC, EPOCH), 1, items)
    assert end == {
        "COMMAND": "END",
        "topic": TOPIC,
        "alias": 1,
        "epoch": EPOCH,
        "seq": 3,
        "count": 3,
        "ck": ck.hex(),
        "reason": "session_stopped",
        "final": False,
    }
    assert closed is CloseCode.NORMAL
    assert hub.seated() == []


async def test_every_topic_has_its_end_before_the_session_is_over():
    hub = hub_of()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC, "other", "book.*"])
    await publish(hub, "other", 1)

    await hub.release_session(SESSION, reason="session_completed", is_over=True)
    await settle(hub)

    told = [frame.get("COMMAND", frame.get("msgs")) for frame in client.frames]
    assert told == ["SUBSCRIBED", "END", [1], "END", "ERROR"]
    assert [end["final"] for end in client.told("END")] == [True, True]
    assert client.told("ERROR")[0]["code"] == "SESSION_OVER"
    assert client.closed is CloseCode.SESSION_OVER


async def test_end_comes_after_what_a_slow_subscriber_has_not_had():
    hub = hub_of()
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [TOPIC])
    client.stall()
    await publish(hub, TOPIC, 1)
    await settle(hub)
    await publish(hub, TOPIC, 2)

    await hub.release("component-a", fence=1, reason="x", is_over=True)
    await hub.release("component-a", fence=1, reason="x", is_over=True)
    await publish(hub, TOPIC, "too late")
    client.go_on()
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert [data for _, _, data in track.got] == [b"1", b"2"]
    assert track.end["seq"] == 2


async def test_end_behind_a_closed_gate_leaves_the_rest_for_another_day():
    hub = hub_of()
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)
    await hub.gate("component-a", is_open=False, fence=1)
    await publish(hub, TOPIC, 2, 3)

    await hub.release("component-a", fence=1, reason="session_stopped")
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert (track.end["seq"], track.end["ck"], track.missing) == (1, track.ck.hex(), [])


async def test_final_end_behind_a_closed_gate_tells_what_will_never_come():
    hub = hub_of()
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)
    await hub.gate("component-a", is_open=False, fence=1)
    await publish(hub, TOPIC, 2, 3)

    await hub.release("component-a", fence=1, reason="session_completed", is_over=True)
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert (track.missing, track.end["seq"]) == ([2, 3], 3)


async def test_paused_subscription_gets_its_end_where_it_stands():
    hub = hub_of()
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [TOPIC])
    hub.hold(connection_of(hub), Hold(TOPIC, is_paused=True))
    await publish(hub, TOPIC, 1)

    await hub.release("component-a", fence=1, reason="session_stopped")
    await settle(hub)

    assert reader.read(client).tracks[TOPIC].end["seq"] == 0


async def test_connection_that_does_not_drain_in_time_is_told_what_it_lost():
    hub = hub_of(drain_seconds=0.01, look_seconds=0.01)
    client, reader = Client(), Reader()
    await hub.start()
    try:
        # The window is what holds the rest back here, and nobody commits.
        await hub.subscribe(seat(window=1), client.send, [TOPIC])
        await publish(hub, TOPIC, 1, 2, 3)
        await settle(hub)

        await hub.release("component-a", fence=1, reason="session_completed", is_over=True)
        await until(lambda: client.closed)
    finally:
        await hub.stop()

    track = reader.read(client).tracks[TOPIC]
    assert (track.missing, track.end["seq"]) == ([2, 3], 3)


async def test_stalled_connection_that_does_not_drain_in_time_is_cut():
    hub = hub_of(drain_seconds=0.01, look_seconds=0.01, goodbye_seconds=0.01)
    client = Client()
    await hub.start()
    try:
        hub.connect(seat(), client.send, is_open=True, abandon=client.abandon)
        await hub.subscribe(seat(), client.send, [TOPIC])
        client.stall()
        await publish(hub, TOPIC, 1)
        await settle(hub)

        await hub.release("component-a", fence=1, reason="session_stopped")
        await until(lambda: client.is_abandoned)
    finally:
        await hub.stop()

    assert hub.seated() == []


# The end of one topic


async def test_ended_topic_keeps_its_sockets_open():
    hub = hub_of()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC, "other"])
    await publish(hub, TOPIC, 1)

    await hub.end(KEY, "run_completed", final=True)
    await hub.end(KEY, "run_completed", final=True)
    await publish(hub, "other", 2)
    await settle(hub)

    assert [(end["topic"], end["seq"], end["final"]) for end in client.told("END")] == [
        (TOPIC, 1, True)
    ]
    assert [data for _, _, data in client.records] == [1, 2]
    assert client.closed is None
    assert [topic.is_ended for topic in hub.topics(SESSION)] == [True, False]


async def test_late_subscriber_of_an_ended_topic_gets_the_end_after_what_is_left():
    hub = hub_of()
    await publish(hub, TOPIC, 1)
    await hub.end(KEY, "run_completed", final=True)
    client = Client()

    await hub.subscribe(seat(), client.send, [Request(TOPIC, Start("earliest"))])
    await settle(hub)

    assert client.seqs == [1]
    assert [end["seq"] for end in client.told("END")] == [1]


async def test_topic_that_is_published_again_has_not_ended_for_late_subscribers():
    hub = hub_of()
    await publish(hub, TOPIC, 1)
    await hub.end(KEY, "pause", final=False)
    await publish(hub, TOPIC, 2)
    client = Client()

    await hub.subscribe(seat(), client.send, [TOPIC])
    await settle(hub)

    assert client.told("END") == []


@pytest.mark.parametrize("make_seat", [seat, plain_seat])
async def test_ended_topic_that_begins_anew_goes_on_with_its_first_record(make_seat):
    hub = hub_of()
    client, reader = Client(), Reader()
    await hub.subscribe(make_seat(), client.send, [TOPIC], ref="s")
    await publish(hub, TOPIC, 1, 2)
    await hub.end(KEY, "restarted", final=True)
    await settle(hub)

    log = hub.board.lines[KEY].log
    log.__init__(KEY, epoch="b" * 16, keep=log._keep, engine=hub.board.engines[0])
    await publish(hub, TOPIC, "one")
    await settle(hub)

    announced = client.told("SUBSCRIBED")[1]
    track = reader.read(client).tracks[TOPIC]
    assert (announced["id"], announced["topics"][0]["next"]) == ("s", 1)
    assert track.got == [(EPOCH, 1, b"1"), (EPOCH, 2, b"2"), ("b" * 16, 1, b'"one"')]
    assert track.missing == []


async def test_released_component_with_an_ended_topic_is_closed_at_once():
    hub = hub_of()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await hub.end(KEY, "x", final=True)

    await hub.release("component-a", fence=1, reason="session_stopped")
    await settle(hub)

    assert len(client.told("END")) == 1
    assert client.closed is CloseCode.NORMAL


async def test_store_that_has_to_be_waited_for_ends_in_order_too():
    hub = Hub(engines=[SlowEngine(), MemoryEngine()])
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await publish(hub, TOPIC, 2)

    await hub.release("component-a", fence=1, reason="session_stopped")
    await settle(hub)

    track = reader.read(client).tracks[TOPIC]
    assert ([data for _, _, data in track.got], track.end["seq"]) == ([b"1", b"2"], 2)


async def test_record_that_its_producer_repeats_is_delivered_once_and_revives_no_ended_topic():
    hub = hub_of()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    first = await hub.publish(KEY, [(1, b"1")], ("feed", 1, 7))
    await hub.end(KEY, "source_exhausted", final=True)
    await settle(hub)

    again = await hub.publish(KEY, [(2, b"1")], ("feed", 1, 7))
    await settle(hub)
    late = Client()
    await hub.subscribe(seat("late"), late.send, [Request(TOPIC, Start("earliest"))])
    await settle(hub)

    assert again == first
    assert client.records == [(1, 1, 1)]
    assert len(late.told("END")) == 1
