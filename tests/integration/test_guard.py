"""Bodies that come slowly, too many of them, and the answer that needs nobody but the loop."""

import asyncio
import json
import weakref
from typing import Any

import pytest

from aegis_project import guard
from aegis_project.guard import BodyLimit


class Client:
    """Somebody who sends pieces of a body and keeps what is answered."""

    def __init__(self, *pieces: bytes, peer: str = "10.0.0.1", expects: bool = False) -> None:
        self.pieces = list(pieces)
        self.scope = {"type": "http", "path": "/api/v1/sessions", "method": "POST"}
        self.scope |= {"client": (peer, 1), "headers": []}  # type: ignore[dict-item]
        if expects:
            self.scope["headers"] = [(b"content-length", b"99"), (b"expect", b"100-continue")]  # type: ignore[assignment]
        self.asked = 0
        self.start: dict[str, Any] = {}
        self.body = b""

    async def receive(self) -> Any:
        self.asked += 1
        if self.pieces:
            return {"type": "http.request", "body": self.pieces.pop(0), "more_body": True}
        return await asyncio.get_running_loop().create_future()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        self.body += message.get("body", b"")

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


async def read_all(_scope: Any, receive: Any, send: Any) -> None:
    while (message := await receive())["type"] == "http.request" and message["more_body"]:
        continue
    await send({"type": "http.response.start", "status": 204, "headers": []})


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(guard, "LINGER_SECONDS", 0.01)


async def test_a_body_that_does_not_come_in_time_is_answered_so():
    slow = Client(b"{")

    await BodyLimit(read_all, max_bytes=100)(slow.scope, slow.receive, slow.send)

    headers = dict(slow.start["headers"])
    assert (slow.start["status"], slow.code) == (408, "REQUEST_TIMEOUT")
    assert headers[b"retry-after"] == b"2"
    assert headers[b"connection"] == b"close"
    assert headers[b"x-content-type-options"] == b"nosniff"


async def test_one_peer_cannot_have_all_the_bodies_on_their_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard, "MOST_OF_PEER", 2)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)
    limit = BodyLimit(read_all, max_bytes=100)
    clients = [Client(b"{") for _ in range(3)] + [Client(b"{", peer="10.0.0.2")]

    await asyncio.gather(*(limit(one.scope, one.receive, one.send) for one in clients))

    assert [one.code for one in clients] == [
        *["REQUEST_TIMEOUT"] * 2,
        "SERVICE_UNAVAILABLE",
        "REQUEST_TIMEOUT",
    ]


async def test_bodies_that_ended_make_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard, "MOST_OF_PEER", 1)
    limit = BodyLimit(read_all, max_bytes=100)
    found = []

    for _ in range(3):
        client = Client(b"{")
        await limit(client.scope, client.receive, client.send)
        found.append(client.code)

    assert found == ["REQUEST_TIMEOUT"] * 3


class Piece(dict[str, Any]):
    """A message of a body of which one sees whether somebody keeps it."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # it is the message itself that counts


async def test_a_body_that_is_refused_is_let_go_of_while_the_rest_comes():
    client, kept = Client(*[b"a" * 60] * 4), weakref.WeakSet[Piece]()
    alive = []

    async def receive() -> Piece:
        alive.append(len(kept))
        piece = Piece(await client.receive())
        kept.add(piece)
        return piece

    async def read(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive())["type"] == "http.request":
            continue

    await BodyLimit(read, max_bytes=100)(client.scope, receive, client.send)

    assert client.code == "PAYLOAD_TOO_LARGE"
    assert alive == [0] * 5


async def test_whoever_asks_before_sending_is_refused_without_being_told_to_send():
    careful = Client(expects=True)

    await BodyLimit(read_all, max_bytes=9)(careful.scope, careful.receive, careful.send)

    assert (careful.start["status"], careful.asked) == (413, 0)


async def test_a_process_says_that_it_lives_without_django(settings: Any):
    settings.MIDDLEWARE = ["nothing.that.could.be.imported"]
    client = Client()
    client.scope |= {"path": "/healthz", "method": "GET"}

    await guard.alive(client.scope, client.receive, client.send)

    assert guard.asks_for_life(client.scope)
    assert (client.start["status"], json.loads(client.body)) == (200, {"status": "ok"})
