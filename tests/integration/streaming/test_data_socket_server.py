import asyncio
import contextlib
import json
import socket
from typing import Any

import uvicorn
import websockets
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from sessions.management.uvicorn_socket import Socket
from streaming.consumers import DataConsumer
from streaming.core import position
from streaming.core.errors import CloseCode
from streaming.core.position import Cursor
from streaming.hub import Hub, Limits
from tests.hubs import SESSION, connection_of, plain_seat, publish, seat, until

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)


class Door:
    """A registrar for whom the token is the component's name; gates are open at once."""

    def __init__(self, hub):
        self.hub = hub

    async def authenticate(self, hello, scope):
        make = plain_seat if hello["session_token"].startswith("plain") else seat
        return make(hello["session_token"])

    def heard(self, seat):
        pass

    async def subscribed(self, seat):
        pass

    async def lost(self, seat):
        pass


class Quiet(uvicorn.Server):
    """A server inside a test: it leaves the signals alone."""

    def capture_signals(self):
        return contextlib.nullcontext()


@contextlib.asynccontextmanager
async def serving(hub):
    consumer: Any = DataConsumer.as_asgi(registrar=Door(hub), hub=lambda: hub)
    routes: Any = [path("ws/data", consumer)]
    app = ProtocolTypeRouter({"websocket": URLRouter(routes)})
    config = uvicorn.Config(app, ws=Socket, lifespan="off", log_config=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Quiet(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        await hub.start()
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/ws/data"
        finally:
            await hub.stop()
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def entering(hub, url, name, *requests, **options):
    async with websockets.connect(url, proxy=None, compression=None, **options) as client:
        await say(client, session_token=name)
        assert await hear(client) == {"COMMAND": "ACK"}
        await hub.gate(f"component-{name}", is_open=True, fence=1)
        if requests:
            await say(client, COMMAND="SUBSCRIBE", id=1, topics=requests)
            assert (await hear(client))["COMMAND"] == "SUBSCRIBED"
        yield client


async def say(client, **frame):
    await client.send(json.dumps(frame))


async def hear(client):
    """The next frame, idle proofs apart."""
    frame = {"COMMAND": "POS"}
    while frame.get("COMMAND") == "POS":
        frame = json.loads(await asyncio.wait_for(client.recv(), 10))
    return frame


async def closing(client):
    """What still comes, and the code of the close after it."""
    frames = []
    with contextlib.suppress(websockets.ConnectionClosedError):
        async with asyncio.timeout(10):
            async for text in client:
                frames.append(json.loads(text))  # noqa: PERF401 -- kept when the close raises
    return frames, client.close_code


async def test_records_travel_from_one_socket_to_others_in_both_modes():
    hub = Hub()
    async with (
        serving(hub) as url,
        entering(hub, url, "feed") as feed,
        entering(hub, url, "batch", TOPIC) as batch,
        entering(hub, url, "plain", TOPIC) as plain,
    ):
        await say(feed, COMMAND="PUBLISH", topic=TOPIC, msgs=[{"p": 1}, "é"], id=1)
        published = await hear(feed)
        together = await hear(batch)
        singly = [await hear(plain), await hear(plain)]

    assert (published["first"], published["last"]) == (1, 2)
    assert (together["first"], together["msgs"]) == (1, [{"p": 1}, "é"])
    assert [(one["topic"], one["seq"], one["data"]) for one in singly] == [
        (TOPIC, 1, {"p": 1}),
        (TOPIC, 2, "é"),
    ]


async def test_component_that_comes_back_with_its_cursor_misses_nothing():
    hub = Hub()
    seen: list[int] = []
    async with serving(hub) as url:
        cursor = None
        for round_ in range(5):
            request: dict[str, Any] = {"topic": TOPIC, "from": "earliest"}
            if cursor is not None:
                request["cursor"] = cursor
            await publish(hub, TOPIC, *range(round_ * 10, round_ * 10 + 10))
            async with entering(hub, url, "batch", request) as client:
                frame = await hear(client)
                seen += range(frame["first"], frame["first"] + len(frame["msgs"]))
                _, end = await hub.bounds(KEY)
                cursor = {"epoch": end.epoch, "seq": seen[-1], "ck": frame["ck"]}

    assert seen == list(range(1, 51))


async def test_client_that_never_reads_is_cut_and_holds_up_nobody():
    limits = Limits(stuck_seconds=0.2, look_seconds=0.05, goodbye_seconds=0.1)
    hub = Hub(limits=limits)
    async with (
        serving(hub) as url,
        entering(hub, url, "quick", TOPIC) as quick,
        entering(hub, url, "stuck", TOPIC, max_queue=1),
    ):
        stuck = connection_of(hub, "stuck")
        payload = "x" * 30_000
        for n in range(400):
            await publish(hub, TOPIC, [n, payload])
            assert (await hear(quick))["msgs"][0][0] == n
        await until(lambda: stuck.is_closed)
        await publish(hub, TOPIC, "after")

        assert (await hear(quick))["msgs"] == ["after"]
        assert hub.seated() == ["component-quick"]


async def test_client_that_reads_again_in_time_gets_its_gap_and_goes_on():
    hub = Hub()
    async with serving(hub) as url, entering(hub, url, "slow", TOPIC, max_queue=1) as slow:
        connection = connection_of(hub, "slow")
        payload = "x" * 30_000
        for n in range(1500):
            await publish(hub, TOPIC, [n, payload])
            if n % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: not connection.is_free)
        last, missing = 0, 0
        while last < 1500:
            frame = await hear(slow)
            if frame.get("COMMAND") == "GAP":
                assert frame["from"] == last + 1
                missing += frame["count"]
                last = frame["to"]
            else:
                assert frame["first"] == last + 1
                last += len(frame["msgs"])

    assert missing > 0
    assert connection.closing is None


async def test_end_of_the_session_comes_with_a_receipt_and_the_close():
    hub = Hub()
    async with serving(hub) as url, entering(hub, url, "batch", TOPIC) as client:
        await publish(hub, TOPIC, 1, 2)
        await hub.release_session(SESSION, reason="session_completed", is_over=True)
        frames, code = await closing(client)

    records, end, error = frames
    log = hub.board.lines[KEY].log
    ck = position.chain_all(position.genesis(TOPIC, log.epoch), 1, [b"1", b"2"])
    assert records["msgs"] == [1, 2]
    assert (end["COMMAND"], end["seq"], end["ck"], end["final"]) == ("END", 2, ck.hex(), True)
    assert (error["code"], code) == ("SESSION_OVER", CloseCode.SESSION_OVER)


async def test_stopping_server_sends_everybody_away_with_4200():
    hub = Hub()
    async with serving(hub) as url, entering(hub, url, "batch", TOPIC) as client:
        await hub.stop(retry_ms=lambda: 250)
        frames, code = await closing(client)

    assert frames[-1]["details"] == {"retry_ms": 250}
    assert code == CloseCode.DRAINING


async def test_malformed_frames_close_with_a_code_and_never_1011():
    hub = Hub()
    codes = []
    async with serving(hub) as url:
        for text in ("", "{", b"{}", '{"COMMAND":"PUBLISH","topic":"t","data":"\\ud800"}'):
            async with entering(hub, url, "batch") as client:
                await client.send(text)
                codes.append((await closing(client))[1])

    assert codes == [CloseCode.PROTOCOL] * 4


async def test_cursor_of_a_lost_log_is_told_after_the_answer():
    hub = Hub()
    await publish(hub, TOPIC, 1)
    cursor = Cursor("f" * 16, 7, b"12345678").as_dict()
    async with (
        serving(hub) as url,
        entering(hub, url, "batch", {"topic": TOPIC, "cursor": cursor}) as client,
    ):
        gap = await hear(client)

    assert (gap["COMMAND"], gap["count"], gap["reason"], gap["next"]) == ("GAP", None, "epoch", 2)
