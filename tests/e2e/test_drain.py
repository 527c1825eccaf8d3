"""A server that is told to end: nobody comes in, everybody is sent away in turn and comes back."""

import asyncio
import contextlib
import signal
import time
from collections import Counter

import pytest

from tests.e2e import remote
from tests.e2e.places import DAPHNE, POSTGRES, SQLITE
from tests.e2e.remote import Member, opened, publish, until

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE, POSTGRES], indirect=True, scope="module"),
]

PRICES = "prices.BTCUSDT"
CROWD = 40
# Long enough for a server to start on a busy machine.
PATIENT = {"AEGIS_GRACE_SECONDS": "40"}


async def joined(stack, server, token, name):
    """Bring both sockets of a raw component to READY."""
    control = await stack.enter_async_context(opened(server, "control"))
    data = await stack.enter_async_context(opened(server, "data"))
    own = {"session_token": token, "name": name, "topics": [PRICES], "proto": {"v": 1}}
    await control.say(own)
    component_id = (await control.hear("ACK"))["component_id"]
    await data.say({"session_token": token, "component_id": component_id})
    await data.hear("ACK")
    await control.say({"COMMAND": "READY"})
    return control, data


async def test_server_that_ends_is_not_ready_and_sends_everybody_away_in_turn(anywhere):
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(anywhere.serve(AEGIS_LOST_SECONDS="60"))
        made = await remote.make(server)
        await remote.order(server, made["id"], "start")
        token = made["session_token"]
        pairs = [await joined(stack, server, token, f"c{n}") for n in range(CROWD)]
        ready = await remote.ask(server, "GET", "/readyz")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)

        drains = [await control.hear("DRAIN") for control, _ in pairs]
        while_draining = await remote.ask(server, "GET", "/readyz")
        late = await stack.enter_async_context(opened(server, "control"))
        late_code = await late.closed()
        are_open = [control.code is None for control, _ in pairs]
        codes = [(await control.closed(), await data.closed()) for control, data in pairs]

        assert (ready.status, while_draining.status) == (200, 503)
        assert (late_code, late.frames[-1]["code"]) == (4200, "DRAINING")
        # Some were sent away, while the others still had time.
        assert any(are_open)
        assert codes == [(4200, 4200)] * CROWD
        pauses = {frame["retry_ms"] for frame in drains}
        assert pauses <= set(range(2000))
        assert len(pauses) > CROWD / 2
        assert [data.frames[-1]["code"] for _, data in pairs] == ["DRAINING"] * CROWD
        assert server.process.wait(30) == 0
        assert time.monotonic() - began < 30
        assert "Traceback" not in server.log()


async def test_components_come_back_to_the_next_server_without_loss(anywhere):
    with anywhere.serve(**PATIENT) as first:
        made = await remote.make(first, components=["sink"])
        address = first.url.rpartition(":")[2]
        member = Member(first.url, made["session_token"], "sink", [PRICES])
        async with member as sink:
            await remote.order(first, made["id"], "start?wait=20")
            await publish(first, made["id"], PRICES, *range(5))
            await until(lambda: len(sink.records) == 5)
            assert await asyncio.to_thread(first.stop) == 0
            assert sink.component.standing is None
            with anywhere.serve("--port", address, **PATIENT) as second:
                await sink.runs()
                events = await remote.events(second, made["id"])
                told = Counter(event["type"] for event in events)
                lost = [one["data"] for one in events if one["type"] == "component.lost"]
                await publish(second, made["id"], PRICES, "after")
                await until(lambda: len(sink.records) == 6)
                await remote.order(second, made["id"], "stop")
                await sink.over()

    assert [record.data for record in sink.records] == [*range(5), "after"]
    # What memory held ended with the process, and that is told.
    assert [gap.reason for gap in sink.gaps] == ["epoch"]
    assert [one["reason"] for one in lost] == ["draining"]
    assert (told["component.registered"], told["component.failed"]) == (2, 0)
