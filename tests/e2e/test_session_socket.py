"""The socket of a session over real servers: what is said there, and a server that is killed."""

import json
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.e2e import places
from tests.serving import Running

pytestmark = pytest.mark.timeout(180)

SECONDS = 40


def web(running: Running) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {running.token}"}
    return httpx2.Client(base_url=running.url, headers=headers, timeout=30, trust_env=False)


def entered(running: Running, *, after: str) -> Connection:
    """A client that goes on behind a position."""
    socket = connect(f"{running.ws_url}/ws/sessions/k", proxy=None)
    socket.send(json.dumps({"type": "authenticate", "token": running.token, "after": after}))
    return socket


def until(socket: Connection, word: str) -> list[dict[str, Any]]:
    """The events up to the next one of this type, which is their last."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["payload"]["type"] != word:
        frame = json.loads(socket.recv(timeout=SECONDS))
        found += [frame] if frame["type"] == "event" else []
    return found


@pytest.mark.parametrize("kind", places.EVERYWHERE)
def test_a_client_goes_on_at_the_next_server_without_a_gap(kind: str):
    with places.place(kind) as place:
        with place.serve() as first, web(first) as client:
            client.post("/api/v1/sessions", json={"key": "k", "agent": "assistant"})
            with entered(first, after="0") as socket:
                socket.send(json.dumps({"type": "message", "content": "My name is Alice."}))
                before = until(socket, "run.completed")
                first.kill()
        with place.serve() as second, web(second) as client:
            client.post("/api/v1/sessions/k/messages", json={"content": "What is my name?"})
            with entered(second, after=before[-1]["position"]) as socket:
                behind = until(socket, "run.completed")
            messages = client.get("/api/v1/sessions/k/messages").json()["data"]
            ledger = client.get("/api/v1/sessions/k/events?limit=200").json()["data"]

    told = [one["payload"] for one in [*before, *behind]]
    assert told == ledger[: len(told)]
    assert [one["seq"] for one in told] == list(range(1, len(told) + 1))
    assert [one["role"] for one in messages] == ["user", "assistant"] * 2
    assert messages[-1]["content"] == "Your name is Alice."
