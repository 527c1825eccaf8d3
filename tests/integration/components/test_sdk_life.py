import asyncio

import pytest
import websockets

from components.core.errors import ComponentClosed, ConnectionLost
from components.sdk import wire
from components.sdk.answers import Answers
from components.sdk.cursors import MemoryCursors
from components.sdk.inbox import Inbox
from components.sdk.life import Life
from components.sdk.records import Batch
from components.sdk.settings import Settings
from components.sdk.streams import Streams
from streaming.core.errors import TopicForbidden
from tests.integration.components.sdk_help import until


class Socket:
    """The part of a websocket that a life says something on."""

    def __init__(self, *, is_closed=False):
        self.is_closed = is_closed
        self.sent = []

    async def send(self, frame, *, text):
        if self.is_closed:
            raise websockets.ConnectionClosedOK(None, None)
        self.sent.append(frame)


@pytest.fixture
def life():
    settings = Settings(url="http://nowhere", token="t", answer_seconds=0.01)
    life = Life(settings, Streams(), MemoryCursors())
    life.is_over = False
    return life


def frame(**fields):
    return wire.decode(wire.encode(fields))


# Saying


async def test_frame_waits_for_a_connection_and_takes_the_next_one(life):
    sending = asyncio.create_task(life.send(b"{}"))
    closed, fresh = Socket(is_closed=True), Socket()

    life.attach(closed)
    await until(lambda: not life.is_attached)
    life.attach(fresh)
    await sending

    assert fresh.sent == [b"{}"]


async def test_answer_that_does_not_come_in_time_is_a_lost_connection(life):
    life.attach(Socket())

    with pytest.raises(ConnectionLost):
        await life.ask(lambda ref: wire.hold("a", is_paused=True))
    with pytest.raises(ConnectionLost):
        await life.publish("a", [1])


async def test_what_is_published_is_said_again_on_the_next_connection_as_often_as_it_takes(life):
    closed, fresh = Socket(is_closed=True), Socket()
    publishing = asyncio.create_task(life.publish("a", [1]))

    life.attach(closed)
    await until(lambda: not life.is_attached)
    life.attach(fresh)
    await until(lambda: fresh.sent)

    with pytest.raises(ConnectionLost):
        await publishing
    (said,) = fresh.sent
    assert b'"n":1' in said


async def test_nothing_can_be_said_without_a_registration(life):
    with pytest.raises(ConnectionLost):
        await life.say({"COMMAND": "FINISHED"})


async def test_commit_on_a_closed_socket_is_left_to_the_next_cursor(life):
    life.attach(Socket(is_closed=True))
    life.note("a", 1, None)

    await life.commit()

    assert life.store.load() == {}


async def test_waiting_ends_with_the_life(life):
    waiting = asyncio.create_task(life.socket())
    await asyncio.sleep(0)

    life.is_over = True
    life.attach(None)

    with pytest.raises(ComponentClosed):
        await waiting


# Answers


async def test_answers_find_who_asked():
    answers = Answers()
    (first, one), (second, two) = answers.ask(), answers.ask()

    found = [
        answers.answer(frame(COMMAND="PUBLISHED", id=second, topic="a")),
        answers.answer(frame(COMMAND="ERROR", ref=first, code="TOPIC_FORBIDDEN")),
        answers.answer(frame(COMMAND="ERROR", ref=first, code="TOPIC_FORBIDDEN")),
        answers.answer(frame(COMMAND="ERROR", ref="PUBLISH", code="TOPIC_FORBIDDEN")),
        answers.answer(frame(COMMAND="PUBLISHED", id=99)),
    ]

    assert found == [True, True, False, False, False]
    assert (await two).topic == "a"
    with pytest.raises(TopicForbidden):
        await one


async def test_open_questions_fail_with_their_connection():
    answers = Answers()
    (_, answered), (_, open_) = answers.ask(), answers.ask()
    answered.set_result(frame())

    answers.fail()

    assert (await answered) == frame()
    with pytest.raises(ConnectionLost):
        await open_


# The inbox


def batch(topic):
    return Batch(topic, [], None)


async def test_full_inbox_waits_for_room():
    inbox = Inbox(1)
    await inbox.offer(batch("a"))
    second = asyncio.create_task(inbox.offer(batch("b")))
    await asyncio.sleep(0)
    waiting = not second.done()

    taken = [await inbox.take(), await inbox.take()]
    await second

    assert waiting
    assert taken == [batch("a"), batch("b")]


async def test_batch_of_a_reader_that_is_stopped_is_not_lost():
    inbox = Inbox(1)
    await inbox.offer(batch("a"))
    reader = asyncio.create_task(inbox.offer(batch("b")))
    await asyncio.sleep(0)

    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)

    assert [await inbox.take(), await inbox.take()] == [batch("a"), batch("b")]


async def test_full_inbox_overflows_while_an_answer_is_waited_for():
    inbox = Inbox(1)
    await inbox.offer(batch("a"))
    second = asyncio.create_task(inbox.offer(batch("b")))

    with inbox:
        await second

    assert len(inbox) == 2


async def test_closed_inbox_gives_what_is_left_and_then_nothing():
    inbox = Inbox(2)
    await inbox.offer(batch("a"))

    inbox.close()

    assert [await inbox.take(), await inbox.take()] == [batch("a"), None]
