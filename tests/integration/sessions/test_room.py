"""How many sockets one may have."""

import asyncio
from typing import Any

import pytest
from django.conf import settings as conf

from aegis_project import peers
from aegis_project.database import run_db
from sessions.dialects.daemon_socket import DaemonConsumer
from tests.calling import caller

SECONDS = 20.0


class Held:
    """A socket that is served until its client goes."""

    def __init__(self, serve: Any, **scope: Any) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        said = {"type": "websocket", "path": "/", "headers": [], "scheme": "ws", **scope}
        self.task = asyncio.ensure_future(serve(said, self.incoming.get, self.outgoing.put))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self.outgoing.get()

    async def leave(self) -> None:
        await self.incoming.put({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(SECONDS):
            await self.task


async def served(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


def limit(settings: Any, **limits: int) -> None:
    settings.ENVIRONMENT = conf.ENVIRONMENT.model_copy(update=limits)


async def test_an_address_has_so_many_sockets_and_room_again_when_one_goes(settings: Any):
    limit(settings, sockets_per_peer=1)
    serve = peers.limited

    def connect() -> Held:
        return Held(lambda *said: serve(served, "10.0.0.1", *said))

    first, second = connect(), connect()
    accepted, told = await first.next(), [await second.next(), await second.next()]
    await second.leave()
    await first.leave()
    third = connect()
    again = await third.next()
    await third.leave()

    assert [accepted, again] == [{"type": "websocket.accept"}] * 2
    assert told == [
        {"type": "websocket.accept"},
        {"type": "websocket.close", "code": 4100, "reason": peers.REASON},
    ]


@pytest.mark.parametrize(
    ("client", "peer"),
    [
        (None, ""),
        (("127.0.0.1", 1), ""),
        (("::1", 1), ""),
        (("::ffff:127.0.0.1", 1), ""),
        (("10.0.0.1", 1), "10.0.0.1"),
        (("::ffff:10.0.0.1", 1), "10.0.0.1"),
        (("2001:db8::1", 1), str(0x20010DB800000000)),
        (("2001:db8::ffff:2", 1), str(0x20010DB800000000)),
        (("not an address", 1), ""),
    ],
)
def test_a_peer_is_an_address_or_its_network(client: Any, peer: str):
    assert peers.peer_of({"client": client}) == peer


@pytest.mark.django_db(transaction=True)
async def test_a_credential_has_so_many_sockets_and_another_has_its_own(settings: Any):
    limit(settings, sockets_per_principal=1)
    own, other = [(await run_db(caller)).headers["Authorization"] for _ in range(2)]

    def connect(secret: str) -> Held:
        headers = [(b"host", b"desk"), (b"authorization", secret.encode())]
        return Held(DaemonConsumer(), headers=headers)

    first = connect(own)
    accepted = await first.next()
    second, third = connect(own), connect(other)
    told = [await second.next(), await second.next()]
    beside = await third.next()
    for one in (second, third, first):
        await one.leave()

    assert [accepted, beside] == [{"type": "websocket.accept"}] * 2
    assert (told[1]["type"], told[1]["code"], told[1]["reason"]) == (
        "websocket.close",
        4100,
        "One may have 1 sockets.",
    )
