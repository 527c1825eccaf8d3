import asyncio
import contextlib
import socket
from typing import Any

import pytest
import websockets
from websockets.frames import Frame, Opcode

from sessions.management.uvicorn_socket import FRAME, Inbox, Latch, frame
from tests.inside import serving
from tests.waiting import until


async def accepted(receive, send):
    await receive()
    await send({"type": "websocket.accept"})


async def until_gone(receive):
    while (await receive())["type"] != "websocket.disconnect":
        continue


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70000])
def test_a_text_is_framed_as_the_protocol_says(size):
    payload = b"x" * size

    framed = frame(payload)

    assert framed == Frame(Opcode.TEXT, payload).serialize(mask=False)


async def test_one_message_goes_to_many_and_is_framed_once():
    message: dict[str, Any] = {"type": "websocket.send", "text": "é" * 100}

    async def say(receive, send):
        await accepted(receive, send)
        await send(message)
        await until_gone(receive)

    async with serving(say) as (_, url):
        heard = []
        for _ in range(2):
            async with websockets.connect(url, proxy=None) as client:
                heard.append(await client.recv())

    assert heard == ["é" * 100] * 2
    assert message[FRAME] == frame(("é" * 100).encode())


async def test_frames_wait_in_their_order_while_the_application_does_not_read():
    heard = []

    async def listen(receive, send):
        await accepted(receive, send)
        while (event := await receive())["type"] == "websocket.receive":
            heard.append(event["text"])

    async with serving(listen) as (_, url), websockets.connect(url, proxy=None) as client:
        for n in range(50):
            await client.send(str(n))
        await until(lambda: len(heard) == 50)

    assert heard == [str(n) for n in range(50)]


async def test_who_takes_nothing_is_let_go_of_when_its_application_is():
    is_stuck = asyncio.Event()

    async def flood(receive, send):
        await accepted(receive, send)
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(1):
                    await send({"type": "websocket.send", "text": "x" * 100_000})
        is_stuck.set()

    async with serving(flood) as (server, url):
        with socket.create_connection(("127.0.0.1", int(url.split(":")[2][:-1]))) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await is_stuck.wait()

            await until(lambda: not server.server_state.connections)


async def test_who_answers_no_ping_is_closed():
    async def wait(receive, send):
        await accepted(receive, send)
        await until_gone(receive)

    async with serving(wait) as (server, url):
        loop = asyncio.get_running_loop()
        async with websockets.connect(url, proxy=None, ping_interval=None) as client:
            (connection,) = server.server_state.connections
            # The answer to this one does not fit, so that there is none.
            connection.look_after(loop.time() + 6)
            connection.pending_ping_payload = b"none"

            connection.look_after(loop.time() + 17)

            with pytest.raises(websockets.ConnectionClosedError):
                await client.recv()
            assert client.close_code == 1011


async def test_who_cannot_be_heard_because_its_application_is_busy_stays():
    is_done = asyncio.Event()

    async def work(receive, send):
        await accepted(receive, send)
        await is_done.wait()
        await until_gone(receive)

    async with serving(work) as (server, url), websockets.connect(url, proxy=None) as client:
        now = asyncio.get_running_loop().time()
        (connection,) = server.server_state.connections
        connection.look_after(now + 6)
        connection.pending_ping_payload = b"none"
        await client.send("first")
        await until(lambda: connection.read_paused)

        connection.look_after(now + 60)

        assert not connection.close_sent
        is_done.set()


async def test_who_answers_its_pings_stays():
    async def wait(receive, send):
        await accepted(receive, send)
        await until_gone(receive)

    async with serving(wait) as (server, url):
        now = asyncio.get_running_loop().time()
        async with websockets.connect(url, proxy=None) as client:
            (connection,) = server.server_state.connections
            for later in (6, 17, 28):
                connection.look_after(now + later)
                await until(lambda: connection.pending_ping_payload is None)

            await client.send("still here")


async def test_an_inbox_tells_of_an_arrival_and_keeps_the_order():
    inbox = Inbox()
    given_up, arrival = inbox.arrival(), inbox.arrival()
    given_up.cancel()

    inbox.put_nowait(1)
    inbox.put_nowait(2)

    await arrival
    assert inbox.events == [1, 2]


async def test_a_latch_lets_everybody_go_on_at_once():
    latch = Latch()
    await latch.wait()
    latch.clear()
    waiting = [asyncio.create_task(latch.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()

    latch.set()

    await asyncio.gather(*waiting[1:])
    assert latch.is_set()
