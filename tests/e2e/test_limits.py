"""What one connection may ask of a server: frames per second, and bytes that it does not take."""

import contextlib
import json
import resource
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.e2e import remote
from tests.e2e.places import DAPHNE, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, opened, publish, until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE], indirect=True, scope="module"),
]

TOPIC = "prices.BTCUSDT"


@pytest.fixture(scope="module")
def server(anywhere):
    few = {"AEGIS_CONTROL_FRAMES_PER_SECOND": "20", "AEGIS_DATA_FRAMES_PER_SECOND": "50"}
    # Nobody is lost here for being slow: each connection is to end for its own reason.
    with anywhere.serve(AEGIS_LOST_SECONDS="60", **few) as running:
        yield running
        assert_no_traceback(running)


async def joined(control, data, token, **register):
    """Bring a raw component behind both hellos."""
    await control.say({"session_token": token, "topics": [TOPIC], **register})
    component_id = (await control.hear("ACK"))["component_id"]
    await data.say({"session_token": token, "component_id": component_id})
    await data.hear("ACK")


@pytest.mark.parametrize("path", ["control", "data"])
async def test_socket_that_floods_is_told_and_closed_4103(server, path):
    made = await remote.make(server)
    async with opened(server, "control") as control, opened(server, "data") as data:
        await joined(control, data, made["session_token"], proto={"v": 1})
        flooded = control if path == "control" else data
        with contextlib.suppress(ConnectionClosed):
            for n in range(500):
                await flooded.say({"COMMAND": "HEARTBEAT", "n": n})

        assert await flooded.closed() == 4103
        last = flooded.frames[-1]
        assert (last["COMMAND"], last["code"], last["temporary"]) == (
            "ERROR",
            "TOO_MANY_FRAMES",
            True,
        )
        await publish(server, made["id"], TOPIC, "the others go on")


STUCK, MOST_BYTES = 16, 2_000_000
RECORD, ROUNDS, WARM = "x" * 60_000, 20, 3


@contextlib.asynccontextmanager
async def deaf(server, token, name):
    """The data socket of a running component that reads nothing more."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((urlsplit(server.url).hostname, urlsplit(server.url).port))
    raw.setblocking(False)
    url = f"{server.ws_url}/ws/data"
    async with opened(server, "control") as control:
        await control.say({"session_token": token, "name": name, "topics": [TOPIC]})
        ack = await control.hear("ACK")
        made = connect(url, sock=raw, max_queue=1, compression=None, proxy=None, close_timeout=0.1)
        async with made as data:
            hello = {"session_token": token, "component_id": ack["component_id"]}
            await data.send(json.dumps(hello))
            assert json.loads(await data.recv()) == {"COMMAND": "ACK"}
            await control.say({"COMMAND": "READY"})
            yield data


def resident_bytes(server):
    """What the server's process takes of memory."""
    pages = (Path("/proc") / str(server.process.pid) / "statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


async def test_client_that_does_not_read_is_closed_4101_within_ten_seconds_and_costs_little(server):
    rule = {"pattern": TOPIC, "retention": {"bytes": 2_000_000}}
    made = await remote.make(server, config={"topics": [rule]})
    await remote.order(server, made["id"], "start")

    async def flood():
        for _ in range(ROUNDS):
            await publish(server, made["id"], TOPIC, *[RECORD] * 10)

    async def connected():
        found = await remote.components(server, made["id"])
        return {name for name, one in found.items() if one["is_data_connected"]} - {"reader"}

    async with contextlib.AsyncExitStack() as stack:
        reader = Member(server.url, made["session_token"], "reader", [TOPIC])
        await (await stack.enter_async_context(reader)).runs()
        # What the topic, and a process that has worked but little, take does not count.
        for _ in range(WARM):
            await flood()
        names = {f"deaf-{n}" for n in range(STUCK)}
        sockets = [
            await stack.enter_async_context(deaf(server, made["session_token"], name))
            for name in sorted(names)
        ]

        async def do_run():
            found = await remote.components(server, made["id"])
            return {one["state"] for one in found.values()} == {"running"}

        await until(do_run)
        before = resident_bytes(server)
        await flood()
        were_connected, grown = await connected(), resident_bytes(server) - before

        async def are_gone():
            return not await connected()

        await until(are_gone)

        def told():
            # Who reads, but more slowly than the topic forgets, is told of what it has missed.
            return len(reader.records) + sum(gap.count or 0 for gap in reader.gaps)

        await until(lambda: told() == (WARM + 1) * 10 * ROUNDS)

    assert were_connected == names
    assert grown / STUCK < MOST_BYTES
    assert {one.close_code for one in sockets} <= {4101, 1006}
