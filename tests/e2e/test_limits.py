"""What one connection may ask of a server: frames per second, and bytes that it does not take."""

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e import remote
from tests.e2e.places import DAPHNE, SQLITE
from tests.e2e.remote import assert_no_traceback, opened, publish

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
        socket = control if path == "control" else data
        with contextlib.suppress(ConnectionClosed):
            for n in range(500):
                await socket.say({"COMMAND": "HEARTBEAT", "n": n})

        assert await socket.closed() == 4103
        last = socket.frames[-1]
        assert (last["COMMAND"], last["code"], last["temporary"]) == (
            "ERROR",
            "TOO_MANY_FRAMES",
            True,
        )
        await publish(server, made["id"], TOPIC, "the others go on")
