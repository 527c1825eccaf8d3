import asyncio
import json

import pytest

from streaming.core import position
from streaming.core.errors import TopicNotFound, TopicReadOnly
from streaming.core.messages import Request
from streaming.core.resume import Start
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub, Limits
from tests.engines import ClockEngine, SlowEngine
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

KEY = (SESSION, "klines.BTC")
EPOCH = "a" * 16


@pytest.fixture
def hub():
    return Hub(engines=[MemoryEngine(mint=lambda: EPOCH)])


async def test_first_record_after_quiet_goes_out_in_the_same_turn(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC"])

    await publish(hub, "klines.BTC", {"p": 1})
    await asyncio.sleep(0)

    assert client.seqs == [1]


async def test_records_of_a_busy_moment_go_out_in_one_frame(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC"])

    for value in range(5):
        await publish(hub, "klines.BTC", value)
    await settle(hub)

    assert [frame["msgs"] for frame in client.frames[1:]] == [[0, 1, 2, 3, 4]]


async def test_subscribers_at_one_place_are_sent_the_same_object(hub):
    first, second = Client(), Client()
    await hub.subscribe(seat("a"), first.send, ["klines.BTC"])
    await hub.subscribe(seat("b"), second.send, ["klines.BTC"])

    await publish(hub, "klines.BTC", {"p": 1}, {"p": 2})
    await settle(hub)

    assert first.messages[-1]["text"] is second.messages[-1]["text"]
    assert first.seqs == second.seqs == [1, 2]


async def test_plain_subscribers_share_their_frames_too(hub):
    first, second = Client(), Client()
    await hub.subscribe(plain_seat("a"), first.send, ["klines.BTC"])
    await hub.subscribe(plain_seat("b"), second.send, ["klines.BTC"])

    await hub.publish(KEY, [(17, b'{ "p":1.0}'), (18, b"2")])
    await settle(hub)

    texts = [one["text"] for one in first.messages[-2:]]
    assert texts == [
        '{"topic":"klines.BTC","seq":1,"ts":17,"data":{ "p":1.0}}',
        '{"topic":"klines.BTC","seq":2,"ts":18,"data":2}',
    ]
    assert all(a is b for a, b in zip(first.messages[-2:], second.messages[-2:], strict=True))


async def test_answer_tells_where_the_log_stands_and_comes_before_the_first_record(hub):
    await publish(hub, "klines.BTC", 1, 2, 3)
    client = Client()

    answer = await hub.subscribe(
        seat(), client.send, [Request("klines.BTC", Start("latest", 2))], ref=7
    )

    ck = position.chain(position.genesis("klines.BTC", EPOCH), 1, b"1")
    entry = {
        "topic": "klines.BTC",
        "alias": 1,
        "epoch": EPOCH,
        "start": 1,
        "head": 3,
        "next": 2,
        "ck": ck.hex(),
        "resumed": False,
    }
    assert answer == {"COMMAND": "SUBSCRIBED", "id": 7, "topics": [entry], "errors": []}
    assert client.frames[0] == answer
    assert client.seqs == [2, 3]


async def test_one_topic_has_one_alias_for_all(hub):
    first, second = Client(), Client()
    await hub.subscribe(seat("a"), first.send, ["x", "y"])
    await hub.subscribe(seat("b"), second.send, ["y"])

    aliases = {entry["topic"]: entry["alias"] for entry in first.frames[0]["topics"]}
    assert second.frames[0]["topics"][0]["alias"] == aliases["y"] != aliases["x"]


async def test_sessions_do_not_share_topics(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC"])

    await publish(hub, "klines.BTC", 1, session="22222222-2222-2222-2222-222222222222")
    await settle(hub)

    assert client.seqs == []


async def test_a_log_longer_than_a_frame_is_cut_into_frames(hub):
    for start in range(0, 600, 100):
        await publish(hub, "klines.BTC", *range(start, start + 100))
    await publish(hub, "klines.BTC", "x" * 60_000, "y" * 60_000)
    client = Client()

    await hub.subscribe(seat(), client.send, [Request("klines.BTC", Start("earliest"))])
    await settle(hub)

    assert [len(frame["msgs"]) for frame in client.frames[1:]] == [256, 256, 89, 1]
    assert client.seqs == list(range(1, 603))


async def test_a_long_backlog_leaves_others_their_turn():
    hub = Hub(limits=Limits(turn_frames=2))
    for start in range(0, 2560, 256):
        await publish(hub, "klines.BTC", *range(start, start + 256))
    client = Client()

    await hub.subscribe(seat(), client.send, [Request("klines.BTC", Start("earliest"))])
    at_once = len(client.seqs)
    await settle(hub, rounds=10)

    assert at_once == 512
    assert client.seqs == list(range(1, 2561))


async def test_what_one_topic_is_refused_does_not_stop_the_others(hub):
    client = Client()
    asking = seat(patterns=("klines.*", "book.**"))

    answer = await hub.subscribe(
        asking,
        client.send,
        ["klines.BTC", "trades.BTC", "a..b", "**", Request("klines.X", policy="block")],
    )

    assert [entry["topic"] for entry in answer["topics"]] == ["klines.BTC"]
    assert answer["errors"] == [
        {"topic": "trades.BTC", "code": "UNKNOWN_TOPIC", "temporary": False},
        {"topic": "a..b", "code": "UNKNOWN_TOPIC", "temporary": False},
        {"topic": "klines.X", "code": "VALIDATION_ERROR", "temporary": False},
        {"topic": "**", "code": "UNKNOWN_TOPIC", "temporary": False},
    ]


async def test_topics_of_rows_that_do_not_exist_are_not_made(hub):
    client = Client()

    answer = await hub.subscribe(seat(), client.send, ["runs.1", "ledger"])

    assert [error["code"] for error in answer["errors"]] == ["TOPIC_NOT_FOUND", "TOPIC_NOT_FOUND"]
    with pytest.raises(TopicNotFound):
        await publish(hub, "ledger", 1)


async def test_connection_has_a_bound_of_subscriptions():
    hub = Hub(limits=Limits(subscriptions=2))

    answer = await hub.subscribe(seat(), Client().send, ["a", "b", "c"])

    assert answer["errors"] == [{"topic": "c", "code": "OVER_CAPACITY", "temporary": True}]


# Wildcards


async def test_new_topic_is_announced_by_another_answer_before_its_first_record(hub):
    client = Client()
    await publish(hub, "klines.BTC", "old")
    await hub.subscribe(seat(), client.send, ["klines.*"], ref="w")

    await publish(hub, "klines.ETH", "new")
    await publish(hub, "klines.BTC", "newer")
    await publish(hub, "trades.ETH", "other")
    await settle(hub)

    first, second = client.told("SUBSCRIBED")
    assert [entry["topic"] for entry in first["topics"]] == ["klines.BTC"]
    assert second["id"] == "w"
    assert [entry["topic"] for entry in second["topics"]] == ["klines.ETH"]
    frames = client.frames
    alias = second["topics"][0]["alias"]
    assert frames.index(second) < next(i for i, f in enumerate(frames) if f.get("alias") == alias)
    assert sorted(data for _, _, data in client.records) == ["new", "newer"]


async def test_topic_first_named_by_a_subscriber_is_announced_too(hub):
    client = Client()
    await hub.subscribe(seat("a"), client.send, ["*.BTC"], ref=1)

    await hub.subscribe(seat("b"), Client().send, ["klines.BTC"])

    assert [entry["topic"] for entry in client.frames[-1]["topics"]] == ["klines.BTC"]


async def test_topic_named_by_itself_keeps_its_place_beside_a_wildcard(hub):
    await publish(hub, "klines.BTC", 1, 2, 3)
    client = Client()

    await hub.subscribe(seat(), client.send, ["klines.*", Request("klines.BTC", Start("earliest"))])
    await settle(hub)

    assert client.seqs == [1, 2, 3]


async def test_wildcard_leaves_the_reserved_topics_out(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["**"])

    await publish(hub, "logs.a", 1)
    await settle(hub)

    assert client.seqs == []


# Unsubscribing and holding


async def test_unsubscribed_topic_comes_no_more(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC", "book.*"])
    await publish(hub, "book.BTC", 0)
    connection = connection_of(hub)

    gone = hub.unsubscribe(connection, ["klines.BTC", "book.*", "unknown"])
    await publish(hub, "klines.BTC", 1)
    await publish(hub, "book.BTC", 1)
    await publish(hub, "book.ETH", 1)
    await settle(hub)

    assert gone == ["klines.BTC", "book.*"]
    assert client.seqs == []


async def test_subscribing_again_begins_where_it_says(hub):
    await publish(hub, "klines.BTC", 1, 2)
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC"])

    await hub.subscribe(seat(), client.send, [Request("klines.BTC", Start("earliest"))])
    await publish(hub, "klines.BTC", 3)
    await settle(hub)

    assert client.seqs == [1, 2, 3]


# Reading


async def test_reader_sees_what_subscribers_see(hub):
    await publish(hub, "klines.BTC", 1, 2, 3)

    cut = await hub.read(KEY, 1, limit=1)
    start, end = await hub.bounds(KEY)
    placed = await hub.place(KEY, Start("time", 1000))

    assert (cut.first, cut.data, cut.last) == (2, [b"2"], 2)
    assert (start, end.epoch, end.seq) == (1, EPOCH, 3)
    assert placed.next == 1
    assert await hub.read(KEY, 3) is None


async def test_reading_a_topic_does_not_make_it(hub):
    with pytest.raises(TopicNotFound):
        await hub.read(KEY, 0)
    with pytest.raises(TopicNotFound):
        await hub.end(KEY, "x", final=True)

    assert hub.topics(SESSION) == []


async def test_reader_waits_for_what_comes(hub):
    await publish(hub, "klines.BTC", 1)

    waiting = asyncio.create_task(hub.wait(KEY, 1, timeout_seconds=10))
    await asyncio.sleep(0)
    await publish(hub, "klines.BTC", 2)

    assert await waiting is True
    assert await hub.wait(KEY, 1, timeout_seconds=0) is True
    assert await hub.wait(KEY, 2, timeout_seconds=0) is False


async def test_listener_is_called_until_it_is_taken_off(hub):
    await publish(hub, "klines.BTC", 1)
    calls = []

    def listener():
        calls.append(1)

    await hub.listen(KEY, listener)
    await publish(hub, "klines.BTC", 2)
    await settle(hub)
    hub.unlisten(KEY, listener)
    hub.unlisten((SESSION, "unknown"), listener)
    await publish(hub, "klines.BTC", 3)
    await settle(hub)

    assert calls == [1]


async def test_topics_tell_their_figures(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC"])
    await publish(hub, "klines.BTC", 1, 22, ts=5)
    await settle(hub)

    (found,) = hub.topics(SESSION)

    _, end = await hub.bounds(KEY)
    assert (found.name, found.alias, found.epoch, found.start, found.head, found.ck) == (
        "klines.BTC",
        1,
        EPOCH,
        1,
        2,
        end.ck.hex(),
    )
    assert (found.records, found.bytes, found.subscribers, found.deliveries, found.last_ts) == (
        2,
        3,
        1,
        2,
        5,
    )
    totals = hub.figures()
    assert (totals.connections, totals.topics, totals.published, totals.deliveries) == (1, 1, 2, 2)
    assert totals.flushes > 0


async def test_forgotten_session_has_no_topics_any_more(hub):
    await publish(hub, "klines.BTC", 1)

    await hub.forget(SESSION)

    assert hub.topics(SESSION) == []
    assert await publish(hub, "klines.BTC", 1) == (await hub.bounds(KEY))[1]


async def test_clock_of_a_session_is_its_own(hub):
    hub.set_clock(SESSION, 42)

    assert hub.now_ms(SESSION) == 42
    hub.set_clock(SESSION, None)
    hub.set_clock(SESSION, None)
    assert hub.now_ms(SESSION) > 42


# A store that has to be waited for


async def test_store_that_has_to_be_waited_for_delivers_the_same():
    retention = Retention(default=Keep(records=100))
    hub = Hub(engines=[SlowEngine(retention=retention), MemoryEngine()])
    first, second = Client(), Client()
    await publish(hub, "klines.BTC", *range(30))
    await hub.subscribe(seat("a"), first.send, [Request("klines.BTC", Start("earliest"))])
    await hub.subscribe(seat("b"), second.send, ["klines.BTC"])

    for value in range(30, 400):
        await publish(hub, "klines.BTC", value)
        await settle(hub)

    assert Reader().read(first).tracks["klines.BTC"].seq == 400
    assert second.seqs == list(range(31, 401))


async def test_what_is_written_elsewhere_is_followed():
    engine = SlowEngine()
    hub = Hub(engines=[engine, MemoryEngine()], limits=Limits(look_seconds=0.01))
    client = Client()
    await hub.start()
    try:
        await hub.subscribe(seat(), client.send, ["klines.BTC"])
        await hub.board.lines[KEY].log.append([(1, b"1")])
        await until(lambda: client.seqs)
    finally:
        await hub.stop()

    assert client.seqs == [1]


async def test_topic_of_a_source_cannot_be_published():
    hub = Hub(engines=[ClockEngine({"klines.BTC": [(1, 1)]}), MemoryEngine()])

    with pytest.raises(TopicReadOnly):
        await publish(hub, "klines.BTC", 1)


async def test_bytes_of_data_are_what_the_chain_covers(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["klines.BTC"])
    data = '{ "é" : [1.50,\n2e0] }'.encode()

    await hub.publish(KEY, [(1, data)])
    await settle(hub)

    assert data.decode() in client.messages[-1]["text"]
    ck = position.chain(position.genesis("klines.BTC", EPOCH), 1, data)
    assert json.loads(client.messages[-1]["text"])["ck"] == ck.hex()


async def test_records_that_fill_no_frame_exactly_come_from_a_store_that_is_waited_for():
    hub = Hub(engines=[SlowEngine(), MemoryEngine()], limits=Limits(look_seconds=0.01))
    await hub.start()
    client = Client()
    items = ["x" * 10_000] * 20
    await publish(hub, "klines.BTC", *items)

    await hub.subscribe(seat(), client.send, [Request("klines.BTC", Start("earliest"))])
    try:
        await until(lambda: len(client.seqs) == 20)
    finally:
        await hub.stop()

    assert client.seqs == list(range(1, 21))
