import asyncio

import pytest

from sessions.management import uvicorn_socket
from streaming.core.errors import CloseCode, ConnectionReplaced, OverCapacity
from streaming.core.messages import Request
from streaming.core.resume import Start
from streaming.hub import Hub, Limits
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


async def test_newer_connection_takes_the_place_and_the_older_is_told():
    hub = Hub()
    older, newer = Client(), Client()
    await hub.subscribe(seat(), older.send, [TOPIC])

    await hub.subscribe(seat(), newer.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)

    assert older.told("ERROR")[0]["code"] == "CONNECTION_REPLACED"
    assert older.closed is CloseCode.REPLACED
    assert (older.seqs, newer.seqs) == ([], [1])


async def test_connection_of_an_older_registration_is_refused():
    hub = Hub()
    await hub.subscribe(seat(fence=2), Client().send, [TOPIC])

    with pytest.raises(ConnectionReplaced):
        hub.connect(seat(fence=1), Client().send)

    assert connection_of(hub).seat.fence == 2


async def test_process_holds_only_so_many_connections():
    hub = Hub(limits=Limits(connections=1))
    hub.connect(seat("a"), Client().send)

    with pytest.raises(OverCapacity):
        hub.connect(seat("b"), Client().send)

    hub.connect(seat("a"), Client().send)
    assert hub.seated() == ["component-a"]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (CloseCode.HEARTBEAT_MISSED, "HEARTBEAT_MISSED"),
        (CloseCode.PARTNER_LOST, "PARTNER_LOST"),
        (CloseCode.FORBIDDEN, "CONNECTION_FORBIDDEN"),
    ],
)
async def test_close_is_told_as_a_frame_first(code, word):
    hub = Hub()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])

    await hub.close("component-a", code=code, fence=1)
    await hub.close("nobody", code=code, fence=1)
    await settle(hub)

    assert client.frames[-1]["code"] == word
    assert client.closed is code


async def test_normal_close_needs_no_error():
    hub = Hub()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])

    await hub.close("component-a", code=CloseCode.NORMAL, fence=1)
    await settle(hub)

    assert client.told("ERROR") == []
    assert client.closed is CloseCode.NORMAL


async def test_stopping_tells_everybody_when_to_come_back():
    hub = Hub()
    clients = [Client(), Client()]
    await hub.start()
    for place, client in enumerate(clients):
        await hub.subscribe(seat(str(place)), client.send, [TOPIC])
    pauses = iter([100, 200])

    await hub.stop(retry_ms=lambda: next(pauses))

    errors = [client.told("ERROR")[0] for client in clients]
    assert [error["details"]["retry_ms"] for error in errors] == [100, 200]
    assert {client.closed for client in clients} == {CloseCode.DRAINING}
    assert hub.seated() == []


async def test_stopping_does_not_wait_for_the_stuck():
    hub = Hub(limits=Limits(goodbye_seconds=0.01))
    client = Client()
    await hub.start()
    await hub.subscribe(seat(), client.send, [TOPIC])
    client.stall()
    await publish(hub, TOPIC, 1)
    await settle(hub)

    await hub.stop()

    assert hub.seated() == []
    assert client.seqs == []


# Slow and stuck


def test_stuck_connection_is_let_go_within_ten_seconds():
    limits = Limits()

    hub = limits.stuck_seconds + limits.look_seconds + limits.goodbye_seconds
    assert hub + uvicorn_socket.LINGER_SECONDS < 10


async def test_stuck_connection_is_cut_with_its_error_if_it_takes_one():
    hub = Hub(limits=Limits(stuck_seconds=0.02, look_seconds=0.005, goodbye_seconds=5))
    client = Client()
    await hub.start()
    try:
        await hub.subscribe(seat(), client.send, [TOPIC])
        client.stall()
        await publish(hub, TOPIC, 1)
        await until(lambda: not hub.seated())
        client.go_on()
        await until(lambda: client.closed)
    finally:
        await hub.stop()

    assert client.frames[-1]["code"] == "SLOW_CONSUMER"
    assert client.closed is CloseCode.SLOW_CONSUMER


async def test_stuck_connection_that_takes_nothing_is_abandoned():
    hub = Hub(limits=Limits(stuck_seconds=0.02, look_seconds=0.005, goodbye_seconds=0.02))
    stuck, quick = Client(), Client()
    await hub.start()
    try:
        hub.connect(seat("s"), stuck.send, is_open=True, abandon=stuck.abandon)
        await hub.subscribe(seat("s"), stuck.send, [TOPIC])
        await hub.subscribe(seat("q"), quick.send, [TOPIC])
        stuck.stall()
        for value in range(10):
            await publish(hub, TOPIC, value)
        await until(lambda: stuck.is_abandoned)
        await publish(hub, TOPIC, "after")
        await until(lambda: len(quick.seqs) == 11)
    finally:
        await hub.stop()

    assert stuck.closed is None


async def test_stalled_connection_holds_one_frame_and_no_copies():
    hub = Hub()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    client.stall()

    for value in range(1000):
        await publish(hub, TOPIC, value)
        await settle(hub, rounds=1)

    connection = connection_of(hub)
    assert len(connection.answers) == 0
    assert connection.subscriptions[TOPIC].next == 2


async def test_answers_that_nobody_takes_are_bounded():
    hub = Hub(limits=Limits(answers=3, goodbye_seconds=0.01))
    client = Client()
    connection = hub.connect(seat(), client.send, is_open=True, abandon=client.abandon)
    await hub.subscribe(seat(), client.send, [TOPIC])
    client.stall()
    await publish(hub, TOPIC, 1)
    await settle(hub)

    for _ in range(4):
        connection.post({"COMMAND": "PUBLISHED"})
    await until(lambda: client.is_abandoned)

    assert connection.is_closed
    connection.post({"COMMAND": "PUBLISHED"})
    assert len(connection.answers) == 0


async def test_answers_wait_their_turn_before_records():
    hub = Hub()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    client.stall()
    await publish(hub, TOPIC, 1)
    await settle(hub)
    await publish(hub, TOPIC, 2)

    connection_of(hub).post({"COMMAND": "NOTE"})
    client.go_on()
    await settle(hub)

    told = [frame.get("COMMAND", frame.get("first")) for frame in client.frames]
    assert told == ["SUBSCRIBED", 1, "NOTE", 2]


async def test_server_without_back_pressure_is_watched_by_its_buffer():
    hub = Hub(limits=Limits(unsent_bytes=100, unsent_poll_seconds=0.001))
    client, reader = Client(), Reader()
    hub.connect(seat(), client.send, is_open=True, unsent=client.unsent)
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)

    client.buffered = 101
    await publish(hub, TOPIC, 2)
    await settle(hub)
    await publish(hub, TOPIC, 3)
    await settle(hub)
    held = list(client.seqs)
    client.buffered = 60
    await asyncio.sleep(0.005)
    still_held = list(client.seqs)
    client.buffered = 50
    await until(lambda: len(client.seqs) == 3)

    assert held == still_held == [1]
    assert reader.read(client).tracks[TOPIC].missing == []


async def test_buffer_that_never_empties_is_stuck_as_well():
    limits = Limits(
        unsent_bytes=100, unsent_poll_seconds=0.001, stuck_seconds=0.02, look_seconds=0.005
    )
    hub = Hub(limits=limits)
    client = Client()
    await hub.start()
    try:
        hub.connect(seat(), client.send, is_open=True, unsent=client.unsent)
        await hub.subscribe(seat(), client.send, [TOPIC])
        client.buffered = 101
        await publish(hub, TOPIC, 1)
        await until(lambda: client.closed)
    finally:
        await hub.stop()

    assert client.closed is CloseCode.SLOW_CONSUMER
    assert client.seqs == []


@pytest.mark.parametrize("is_suspended", [False, True])
async def test_lost_client_is_let_go(is_suspended):
    hub = Hub()
    client, other = Client(), Client()
    await hub.subscribe(seat("a"), client.send, [TOPIC])
    await hub.subscribe(seat("b"), other.send, [TOPIC])
    client.is_gone = True
    if is_suspended:
        client.stall()

    await publish(hub, TOPIC, 1)
    await settle(hub)
    client.go_on()
    await settle(hub)
    await publish(hub, TOPIC, 2)
    await settle(hub)

    assert hub.seated() == ["component-b"]
    assert other.seqs == [1, 2]


# Idle


async def test_idle_connection_is_given_proof_that_nothing_is_missing():
    hub = Hub(limits=Limits(look_seconds=0.002, idle_proof_seconds=0.004))
    client, plain, reader = Client(), Client(), Reader()
    await hub.start()
    try:
        await hub.subscribe(seat(), client.send, [TOPIC, "never"])
        await hub.subscribe(plain_seat(), plain.send, [TOPIC])
        await publish(hub, TOPIC, 1)
        await until(lambda: client.told("POS"))
    finally:
        await hub.stop()

    proof = client.told("POS")[-1]
    assert sorted(seq for seq, _ in proof["pos"].values()) == [0, 1]
    assert plain.told("POS") == []
    assert reader.read(client).tracks[TOPIC].seq == 1


async def test_round_finds_what_nobody_was_told_of():
    hub = Hub(limits=Limits(look_seconds=0.002))
    client = Client()
    await hub.start()
    try:
        await hub.subscribe(seat(), client.send, [TOPIC])
        await hub.board.lines[KEY].log.append([(1, b"1")])
        await until(lambda: client.seqs)
    finally:
        await hub.stop()

    assert client.seqs == [1]


async def test_moved_topic_is_delivered_at_once():
    hub = Hub()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await hub.board.lines[KEY].log.append([(1, b"1")])

    hub.moved(KEY)
    hub.moved((SESSION, "unknown"))
    await asyncio.sleep(0)

    assert client.seqs == [1]


async def test_everything_is_still_there_for_who_begins_at_the_earliest():
    hub = Hub()
    await publish(hub, TOPIC, *range(10))
    client = Client()

    await hub.subscribe(plain_seat(), client.send, [Request(TOPIC, Start("earliest"))])

    assert client.seqs == list(range(1, 11))
