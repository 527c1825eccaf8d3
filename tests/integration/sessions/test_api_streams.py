"""What becomes of a stream in the process that serves it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from aegis_project.database import run_db
from aegis_project.handler import Handler
from streaming import node as nodes
from streaming.api import sse
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub
from streaming.node import Node
from tests import factories, waiting
from tests.calling import caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def hub():
    """The hub of a node that does nothing else."""
    hub = Hub(engines=[RowEngine(), MemoryEngine()])
    node = Node(hub=hub, jobs=[])
    await node.start()
    nodes.install(node)
    yield hub
    nodes.install(None)
    await node.stop()


@pytest.fixture
def handler() -> Iterator[Handler]:
    found = Handler()
    yield found
    found.lanes.close()


def reader(handler: Handler, address: str, secret: str) -> Any:
    """A browser that asks for events, as a server would hand it over."""
    headers = [(b"accept", b"text/event-stream"), (b"authorization", secret.encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
    }
    return ApplicationCommunicator(handler, scope)


async def test_a_reader_who_leaves_is_followed_by_nothing(hub: Hub, handler: Handler):
    session = await run_db(factories.session)
    secret = (await run_db(caller)).headers["Authorization"]
    browser = reader(handler, f"/api/v1/sessions/{session.pk}/events", secret)
    await browser.send_input({"type": "http.request", "body": b""})

    start = await browser.receive_output(20)
    await browser.receive_output(20)
    first = await browser.receive_output(20)
    line = hub.board.lines[(str(session.pk), "ledger")]
    was_wanted = line.is_wanted
    await browser.send_input({"type": "http.disconnect"})

    await waiting.until(lambda: not line.is_wanted)
    assert was_wanted
    assert start["status"] == 200
    assert first["body"].startswith(b"id: 1\nevent: session.created\ndata: {")
    async with asyncio.timeout(20):
        await browser.wait()


async def test_a_reader_to_whom_nothing_comes_hears_that_the_line_is_open(
    hub: Hub, handler: Handler, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sse, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.01)
    session = await run_db(factories.session)
    secret = (await run_db(caller)).headers["Authorization"]
    browser = reader(handler, f"/api/v1/sessions/{session.pk}/events", secret)
    await browser.send_input({"type": "http.request", "body": b""})

    said = [await browser.receive_output(20) for _ in range(4)]
    await browser.send_input({"type": "http.disconnect"})

    assert [one["body"] for one in said[1:] if one["body"].startswith(b":")] == [b": beat\n\n"]
    async with asyncio.timeout(20):
        await browser.wait()
