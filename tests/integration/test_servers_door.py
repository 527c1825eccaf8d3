"""The door between a server and the application, and the lifespan that Daphne lacks."""

import asyncio
import json

import pytest

from sessions.management.door import Door
from sessions.management.lifespan import Lifespan


class Application:
    """It accepts a socket and stays until that is closed; requests wait for `release`."""

    def __init__(self):
        self.release = asyncio.Event()
        self.said = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            await self.release.wait()
        else:
            while (await receive())["type"] != "websocket.disconnect":
                await send({"type": "websocket.accept"})

    async def live(self, receive, send):
        for _ in range(2):
            message = await receive()
            self.said.append(message["type"])
            await send({"type": f"{message['type']}.complete"})


class Client:
    """The server's side of one connection."""

    def __init__(self):
        self.events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.sent = []

    async def send(self, message):
        self.sent.append(message)
        if message["type"] == "websocket.close":
            await self.events.put({"type": "websocket.disconnect"})

    def enter(self, door, kind):
        if kind == "websocket":
            self.events.put_nowait({"type": "websocket.connect"})
        return asyncio.create_task(door({"type": kind}, self.events.get, self.send))


async def nothing():
    pass


async def test_draining_door_closes_the_sockets_that_the_application_left_open():
    door, client = Door(Application()), Client()
    task = client.enter(door, "websocket")
    await asyncio.sleep(0)

    await door.drain(nothing)

    assert await door.emptied(within_seconds=5)
    await task
    assert client.sent == [
        {"type": "websocket.accept"},
        {"type": "websocket.close", "code": 4200},
    ]


async def test_draining_door_lets_the_application_end_first():
    door, client, ended = Door(Application()), Client(), []
    task = client.enter(door, "websocket")
    await asyncio.sleep(0)

    async def end():
        ended.append(list(client.sent))

    await door.drain(end)
    await task

    assert ended == [[{"type": "websocket.accept"}]]


async def test_shut_door_refuses_requests_with_503_and_sockets():
    door, request, socket = Door(Application()), Client(), Client()
    await door.drain(nothing)

    await request.enter(door, "http")
    await socket.enter(door, "websocket")

    assert [message["type"] for message in request.sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert request.sent[0]["status"] == 503
    assert (b"retry-after", b"1") in request.sent[0]["headers"]
    kinds = [message["type"] for message in socket.sent]
    assert kinds == ["websocket.accept", "websocket.send", "websocket.close"]
    assert json.loads(socket.sent[1]["text"])["code"] == "DRAINING"
    assert socket.sent[2]["code"] == 4200


async def test_door_is_empty_once_the_last_request_is_answered():
    application = Application()
    door, client = Door(application), Client()
    task = client.enter(door, "http")
    await asyncio.sleep(0)

    was_empty = await door.emptied(within_seconds=0.01)
    application.release.set()
    is_empty = await door.emptied(within_seconds=5)
    await task

    assert (was_empty, is_empty) == (False, True)


async def test_lifespan_starts_and_stops_the_application():
    application = Application()
    lifespan = Lifespan(application)

    await lifespan.startup()
    started = list(application.said)
    await lifespan.shutdown()

    assert started == ["lifespan.startup"]
    assert application.said == ["lifespan.startup", "lifespan.shutdown"]


async def test_lifespan_raises_what_the_application_raised():
    async def broken(scope, receive, send):
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        await Lifespan(broken).startup()


async def test_lifespan_that_never_started_has_nothing_to_stop():
    await Lifespan(Application()).shutdown()
