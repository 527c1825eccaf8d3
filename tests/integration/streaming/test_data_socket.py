import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming import consumers, hints
from streaming.consumers import DataConsumer
from streaming.core.errors import CloseCode, TokenInvalid
from streaming.engines.memory import MemoryEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import Hub, Limits
from tests.engines import ClockEngine
from tests.hubs import SESSION, Client, connection_of, plain_seat, publish, seat, settle, until

TOPIC = "klines.BTC"


class Door:
    """A registrar that lets in whom the test names by token, and keeps what it was told."""

    def __init__(self):
        self.seats = {"a": seat("a"), "plain": plain_seat("p")}
        self.heard_of, self.lost_of, self.subscribed_of = [], [], []

    async def authenticate(self, hello, scope):
        token = hello["session_token"]
        if token == "broken":
            raise RuntimeError
        if token == "store":
            raise OperationalError
        if token not in self.seats:
            raise TokenInvalid
        return self.seats[token]

    def heard(self, seat):
        self.heard_of.append(seat.component_id)

    async def subscribed(self, seat):
        self.subscribed_of.append(seat.component_id)

    async def lost(self, seat):
        self.lost_of.append(seat.component_id)


class Socket(Client):
    """Both ends of one data socket, without a server between them."""

    def __init__(self, hub, door, **extensions):
        super().__init__()
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.events.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "extensions": extensions}
        app: Any = DataConsumer.as_asgi(registrar=door, hub=lambda: hub)
        self.task: asyncio.Task[None] = asyncio.create_task(app(scope, self.events.get, self.send))

    def say(self, text=None, **frame):
        text = json.dumps(frame) if text is None else text
        self.events.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self):
        self.events.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def answered(self, count=1):
        """Wait for so many frames in all; give the last."""
        await until(lambda: len(self.frames) >= count)
        return self.frames[-1]

    async def end(self):
        await until(lambda: self.closed)
        return self.closed


@asynccontextmanager
async def open_socket(hub, door, who="a", **extensions):
    socket = Socket(hub, door, **extensions)
    socket.say(session_token=who)
    await until(lambda: socket.frames)
    if socket.frames[0]["COMMAND"] == "ACK":
        await hub.gate(door.seats[who].component_id, is_open=True, fence=1)
    try:
        yield socket
    finally:
        socket.leave()
        await socket.task


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def door():
    return Door()


# Hello


async def test_hello_is_answered_by_ack_and_the_watchers_are_told(hub, door):
    heard: list[hints.Hint] = []
    hints.listen(heard.append)
    try:
        async with open_socket(hub, door) as socket:
            assert socket.messages[0] == {"type": "websocket.accept"}
            assert socket.frames == [{"COMMAND": "ACK"}]
            assert hub.seated() == ["component-a"]
    finally:
        hints.unlisten(heard.append)

    assert hints.Hint("component", "component-a") in heard
    assert door.lost_of == ["component-a"]
    assert hub.seated() == []


@pytest.mark.parametrize(
    ("text", "word", "code"),
    [
        ("{}", "PROTOCOL_ERROR", CloseCode.PROTOCOL),
        ("nonsense", "VALIDATION_ERROR", CloseCode.PROTOCOL),
        ('{"session_token":"a"', "VALIDATION_ERROR", CloseCode.PROTOCOL),
        ('{"session_token":"a","x":"\\u0000"}', "VALIDATION_ERROR", CloseCode.PROTOCOL),
        ("x" * (2**20 + 1), "PAYLOAD_TOO_LARGE", CloseCode.FRAME_TOO_LARGE),
        ('{"session_token":"wrong"}', "TOKEN_INVALID", CloseCode.BAD_TOKEN),
        ('{"session_token":"store"}', "STORE_DOWN", CloseCode.STORE_DOWN),
        ('{"session_token":"broken"}', "STREAM_FAILED", CloseCode.INTERNAL),
    ],
    ids=range(8),
)
async def test_refused_hello_is_told_before_the_close(hub, door, text, word, code):
    socket = Socket(hub, door)

    socket.say(text)
    await socket.task

    assert [frame["code"] for frame in socket.frames] == [word]
    assert socket.closed is code
    assert door.lost_of == []


async def test_binary_hello_is_a_protocol_error(hub, door):
    socket = Socket(hub, door)

    socket.events.put_nowait({"type": "websocket.receive", "bytes": b"{}"})
    await socket.task

    assert socket.closed is CloseCode.PROTOCOL


async def test_silence_instead_of_a_hello_is_closed(hub, door, monkeypatch):
    monkeypatch.setattr(consumers, "HELLO_SECONDS", 0.01)
    socket = Socket(hub, door)

    await socket.task

    assert socket.frames[0]["code"] == "HELLO_MISSING"
    assert socket.closed is CloseCode.NO_HELLO


async def test_who_leaves_before_the_hello_is_simply_gone(hub, door):
    socket = Socket(hub, door)

    socket.leave()
    await socket.task

    assert socket.frames == []


async def test_who_is_gone_when_turned_away_is_no_failure(hub, door):
    socket = Socket(hub, door)
    await until(lambda: socket.messages)
    socket.is_gone = True

    socket.say(session_token="wrong")
    await socket.task

    assert socket.closed is None


async def test_newer_socket_takes_the_place_of_the_older(hub, door):
    async with open_socket(hub, door) as older, open_socket(hub, door) as newer:
        assert await older.end() is CloseCode.REPLACED
        older.say(COMMAND="PUBLISH", topic=TOPIC, data="late", id=1)
        older.leave()
        await older.task

        assert newer.closed is None
        assert door.lost_of == []
        assert hub.topics(SESSION) == []
        older.events.put_nowait({"type": "websocket.disconnect"})

    assert door.lost_of == ["component-a"]


async def test_hello_of_an_older_registration_is_refused(hub, door):
    hub.connect(seat("a", fence=2), Client().send)
    socket = Socket(hub, door)

    socket.say(session_token="a")
    await socket.task

    assert socket.closed is CloseCode.REPLACED


# Frames


async def test_first_topics_are_told_once_and_those_that_are_refused_are_none(hub, door):
    door.seats["a"] = seat("a", patterns=("klines.*",))
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="SUBSCRIBE", id=1, topics=["trades.BTC"])
        await socket.answered(2)
        before = list(door.subscribed_of)
        for ref in (2, 3):
            socket.say(COMMAND="SUBSCRIBE", id=ref, topics=[TOPIC])
        await socket.answered(4)

    assert (before, door.subscribed_of) == ([], ["component-a"])


async def test_topics_that_cannot_be_noted_close_nothing(hub, door, monkeypatch, caplog):
    async def fails(_seat):
        raise OperationalError

    monkeypatch.setattr(door, "subscribed", fails)
    async with open_socket(hub, door) as socket:
        for ref in (1, 2):
            socket.say(COMMAND="SUBSCRIBE", id=ref, topics=[TOPIC])
        await socket.answered(3)
        is_open = not socket.closed

    assert is_open
    assert caplog.messages == ["Topics were not noted"]


async def test_publish_reaches_the_subscribers_and_is_answered_when_asked(hub, door):
    async with open_socket(hub, door) as feed, open_socket(hub, door, "plain") as strategy:
        strategy.say(COMMAND="SUBSCRIBE", id=1, topics=[TOPIC])
        await strategy.answered(2)

        feed.say(COMMAND="PUBLISH", topic=TOPIC, data={"p": 1})
        feed.say(command="publish", topic=TOPIC, msgs=[2, 3], id="x")
        await strategy.answered(5)
        answer = await feed.answered(2)

    assert [data for _, _, data in strategy.records] == [{"p": 1}, 2, 3]
    ((_, end),) = [await hub.bounds((SESSION, TOPIC))]
    assert answer == {
        "COMMAND": "PUBLISHED",
        "id": "x",
        "topic": TOPIC,
        "epoch": end.epoch,
        "first": 2,
        "last": 3,
    }
    assert door.heard_of.count("component-a") == 2


@pytest.mark.parametrize(
    ("topic", "word"),
    [
        ("ledger", "TOPIC_FORBIDDEN"),
        ("runs.1", "TOPIC_FORBIDDEN"),
        ("a..b", "UNKNOWN_TOPIC"),
        ("orders.*", "UNKNOWN_TOPIC"),
        ("trades.BTC", "UNKNOWN_TOPIC"),
    ],
)
@pytest.mark.parametrize("fields", [{"id": 4}, {}])
async def test_refused_publish_is_told_and_closes_nothing(hub, door, topic, word, fields):
    door.seats["a"] = seat("a", patterns=("klines.*", "ledger", "runs.*"))
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="PUBLISH", topic=topic, data=1, **fields)
        error = await socket.answered(2)

        assert (error["COMMAND"], error["code"], error["topic"]) == ("ERROR", word, topic)
        assert error["ref"] == fields.get("id", "PUBLISH")
        assert socket.closed is None


@pytest.mark.parametrize("producer", [{}, {"producer": "feed", "producer_epoch": 3}])
async def test_publication_that_is_repeated_is_one_and_is_answered_as_before(hub, door, producer):
    first = {"COMMAND": "PUBLISH", "topic": TOPIC, "msgs": [1, 2], "n": 1, **producer}
    async with open_socket(hub, door) as socket:
        socket.say(**first, id=1)
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=3, n=2, id=2, **producer)
        socket.say(**first, id=3)
        await socket.answered(4)
    async with open_socket(hub, door) as again:
        # As a component does that was cut off before the answer.
        again.say(**first, id=4)
        answer = await again.answered(2)

    answers = {one["id"]: (one["first"], one["last"]) for one in socket.told("PUBLISHED")}
    assert answers == {1: (1, 2), 2: (3, 3), 3: (1, 2)}
    assert (answer["first"], answer["last"]) == (1, 2)
    assert hub.board.lines[(SESSION, TOPIC)].log.head == 3


async def test_components_count_their_publications_each_for_itself(hub, door):
    door.seats["b"] = seat("b")
    for who in ("a", "b"):
        async with open_socket(hub, door, who) as socket:
            socket.say(COMMAND="PUBLISH", topic=TOPIC, data=who, n=1, id=1)
            await socket.answered(2)

    assert hub.board.lines[(SESSION, TOPIC)].log.head == 2


@pytest.mark.parametrize("on_invalid", ["refuse", "quarantine"])
async def test_data_that_break_the_schema_of_their_topic_spend_no_number(door, on_invalid):
    async def load(session_ids):
        schema = {"pattern": "klines.*", "schema": {"type": "object"}, "on_invalid": on_invalid}
        return {key: [schema] for key in session_ids}

    rules = RuleBook(load)
    hub = Hub(engines=[MemoryEngine(rules=rules)], rules=rules)
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=5, id=1)
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data={}, id=2)
        await socket.answered(3)

        first, second = socket.frames[1:]
        assert (second["COMMAND"], second["id"], second["last"]) == ("PUBLISHED", 2, 1)
        assert socket.closed is None
    if on_invalid == "refuse":
        assert (first["code"], first["ref"], first["topic"]) == ("VALIDATION_ERROR", 1, TOPIC)
        assert first["details"] == {"record": 0, "reason": "$: 5 is not of type 'object'"}
    else:
        assert (first["topic"], first["last"], first["quarantined"]) == (f"dlq.{TOPIC}", 1, 1)


async def test_topic_of_a_source_is_read_only(door):
    hub = Hub(engines=[ClockEngine({TOPIC: [(1, 1)]}), *Hub().board.engines])
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=1)

        assert (await socket.answered(2))["code"] == "TOPIC_READ_ONLY"


async def test_publish_while_the_gate_is_closed_is_taken(hub, door):
    async with open_socket(hub, door) as socket:
        await hub.gate("component-a", is_open=False, fence=1)
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=1, id=1)

        assert (await socket.answered(2))["COMMAND"] == "PUBLISHED"


async def test_publish_after_the_session_is_over_is_refused(hub, door):
    async with open_socket(hub, door) as socket:
        socket.stall()
        await publish(hub, TOPIC, 1)
        socket.say(COMMAND="SUBSCRIBE", topics=["x"])
        await settle(hub)
        await hub.release("component-a", fence=1, reason="x", is_over=True)
        socket.say(COMMAND="PUBLISH", topic="x", data=1)
        socket.say(COMMAND="SUBSCRIBE", topics=[TOPIC])
        await settle(hub)
        socket.go_on()
        await socket.end()

    commands = [frame["COMMAND"] for frame in socket.frames]
    assert commands[:2] == ["ACK", "SUBSCRIBED"]
    assert [frame["code"] for frame in socket.told("ERROR")] == ["SESSION_OVER"] * 2
    assert hub.board.lines[(SESSION, "x")].log.head == 0


async def test_subscriptions_are_managed_by_frames(hub, door):
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="SUBSCRIBE", id=1, topics=[TOPIC, {"topic": "book.*"}])
        subscribed = await socket.answered(2)
        socket.say(COMMAND="PAUSE", topic=TOPIC)
        socket.say(COMMAND="RESUME", topic=TOPIC)
        socket.say(COMMAND="PAUSE", topic="unknown")
        error = await socket.answered(3)
        socket.say(COMMAND="COMMIT", pos={TOPIC: 0})
        socket.say(COMMAND="UNSUBSCRIBE", id=2, topics=[TOPIC, "unknown"])
        unsubscribed = await socket.answered(4)

    assert [entry["topic"] for entry in subscribed["topics"]] == [TOPIC]
    assert (error["code"], error["topic"]) == ("UNKNOWN_TOPIC", "unknown")
    assert unsubscribed == {"COMMAND": "UNSUBSCRIBED", "id": 2, "topics": [TOPIC]}


async def test_unknown_command_is_answered_and_closes_nothing(hub, door):
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="READY")
        socket.say(COMMAND="DANCE", id=3)
        socket.say(COMMAND="HEARTBEAT", n=1)
        socket.say(COMMAND="ERROR", code="MINE")
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=1, id=1)
        await socket.answered(4)

        assert [(error["code"], error["ref"]) for error in socket.told("ERROR")] == [
            ("UNKNOWN_COMMAND", "READY"),
            ("UNKNOWN_COMMAND", 3),
        ]
        assert socket.closed is None


MALFORMED = ["", "[]", "1", "{", '{"COMMAND":"SUBSCRIBE"}', '{"COMMAND":"PUBLISH"}', "NaN"]


@pytest.mark.parametrize("text", MALFORMED)
async def test_malformed_frame_is_told_and_closes(hub, door, text):
    async with open_socket(hub, door) as socket:
        socket.say(text)

        assert await socket.end() is CloseCode.PROTOCOL
        assert [error["code"] for error in socket.told("ERROR")] == ["VALIDATION_ERROR"]


async def test_binary_frame_closes(hub, door):
    async with open_socket(hub, door) as socket:
        socket.events.put_nowait({"type": "websocket.receive", "bytes": b"\x00"})

        assert await socket.end() is CloseCode.PROTOCOL


async def test_frame_of_more_than_a_mebibyte_closes(hub, door):
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data="x" * 2**20)

        assert await socket.end() is CloseCode.FRAME_TOO_LARGE


async def test_fault_of_ours_is_told_as_one(hub, door, monkeypatch):
    async def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(hub, "publish", fail)
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="PUBLISH", topic=TOPIC, data=1)

        assert await socket.end() is CloseCode.INTERNAL


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text(max_size=30) | st.binary(max_size=5), max_size=4))
def test_no_frame_whatever_is_answered_by_a_failure(door, texts):
    async def visit():
        hub = Hub()
        socket = Socket(hub, door)
        socket.say(session_token="a")
        await until(lambda: socket.frames)
        for text in texts:
            key = "text" if isinstance(text, str) else "bytes"
            socket.events.put_nowait({"type": "websocket.receive", key: text})
        socket.leave()
        await socket.task
        return socket

    socket = asyncio.run(visit())

    assert socket.closed in {None, CloseCode.PROTOCOL}
    assert all(frame["code"] != "STREAM_FAILED" for frame in socket.told("ERROR"))


@pytest.fixture
def few_frames(settings):
    few = {"data_frames_per_second": 5}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=few)


async def test_flood_of_frames_is_told_and_closed_and_nothing_more_is_taken(hub, door, few_frames):
    async with open_socket(hub, door) as socket:
        for n in range(10):
            socket.say(COMMAND="PUBLISH", topic=TOPIC, data=n)
        socket.say(COMMAND="HEARTBEAT", n=1)
        for n in range(10):
            socket.say(COMMAND="PUBLISH", topic=TOPIC, data=n)

        assert await socket.end() is CloseCode.RATE_LIMITED
        assert [error["code"] for error in socket.told("ERROR")] == ["TOO_MANY_FRAMES"]
        assert hub.board.lines[(SESSION, TOPIC)].log.head == 10


# Reading and writing do not wait for each other


async def test_stalled_send_does_not_stop_the_reading(hub, door):
    async with open_socket(hub, door) as socket:
        socket.say(COMMAND="SUBSCRIBE", topics=[TOPIC])
        await socket.answered(2)
        socket.stall()
        await publish(hub, TOPIC, 1)
        await settle(hub)

        for n in range(50):
            socket.say(COMMAND="PUBLISH", topic="mine", data=n)
        await until(lambda: (SESSION, "mine") in hub.board.lines)
        await settle(hub)

        assert hub.board.lines[(SESSION, "mine")].log.head == 50
        socket.go_on()


async def test_socket_that_takes_nothing_is_let_go(door):
    hub = Hub(limits=Limits(stuck_seconds=0.02, look_seconds=0.005, goodbye_seconds=0.01))
    await hub.start()
    try:
        socket = Socket(hub, door)
        socket.say(session_token="a")
        await until(lambda: socket.frames)
        await hub.gate("component-a", is_open=True, fence=1)
        socket.say(COMMAND="SUBSCRIBE", topics=[TOPIC])
        await socket.answered(2)
        socket.stall()
        await publish(hub, TOPIC, 1)

        # The application returns, by which the server knows that it may drop the connection.
        await asyncio.wait_for(socket.task, 5)
    finally:
        await hub.stop()

    assert socket.closed is None
    assert door.lost_of == ["component-a"]


async def test_server_tells_its_buffer_by_an_extension(door):
    hub = Hub(limits=Limits(unsent_bytes=10))
    buffered = [11]
    async with open_socket(hub, door, **{"aegis.unsent": lambda: buffered[0]}) as socket:
        socket.say(COMMAND="SUBSCRIBE", topics=[TOPIC])
        await socket.answered(2)
        await publish(hub, TOPIC, 1)
        await settle(hub)
        held = list(socket.seqs)
        buffered[0] = 0
        await until(lambda: socket.seqs)

        assert held == []


async def test_cancelled_server_cancels_the_socket(hub, door):
    socket = Socket(hub, door)
    socket.say(session_token="a")
    await until(lambda: socket.frames)

    socket.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await socket.task

    assert hub.seated() == []


async def test_loss_that_cannot_be_noted_is_no_failure_of_the_socket(hub, door, monkeypatch):
    async def fail(seat):
        raise OperationalError

    monkeypatch.setattr(door, "lost", fail)
    async with open_socket(hub, door):
        pass

    assert hub.seated() == []


async def test_socket_that_is_abandoned_while_it_ends_is_left_in_order(hub, door, monkeypatch):
    leaving, may_end = asyncio.Event(), asyncio.Event()

    async def slow(seat):
        leaving.set()
        await may_end.wait()
        door.lost_of.append(seat.component_id)

    monkeypatch.setattr(door, "lost", slow)
    socket = Socket(hub, door)
    socket.say(session_token="a")
    await until(lambda: socket.frames)
    connection = connection_of(hub)

    socket.leave()
    await leaving.wait()
    connection._abandon()
    may_end.set()
    await socket.task

    assert door.lost_of == ["component-a"]


async def test_socket_that_is_abandoned_as_it_ends_notes_its_loss(hub, door):
    socket = Socket(hub, door)
    socket.say(session_token="a")
    await until(lambda: socket.frames)
    connection = connection_of(hub)

    socket.leave()
    # Both at once: it is to go on from its end when the cancellation comes.
    connection._abandon()
    await socket.task

    assert door.lost_of == ["component-a"]
