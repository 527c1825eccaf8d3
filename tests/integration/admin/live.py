"""A page's side of the live socket, without a server between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from sessions.consumers import LiveConsumer

SECONDS = 20.0


class Socket:
    """One connection; ``accepted`` says whether the server took it."""

    def __init__(self, cookie: str, *, origin: str, host: str, scheme: str) -> None:
        headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
        if origin:
            headers.append((b"origin", origin.encode()))
        self.scope = {"type": "websocket", "path": "/ws/live", "scheme": scheme, "headers": headers}
        self.accepted = False
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def event(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self.outgoing.get()

    async def frame(self, kind: str) -> dict[str, Any]:
        """The next frame of this type; others are passed over."""
        while True:
            event = await self.event()
            assert event["type"] == "websocket.send", event
            frame: dict[str, Any] = json.loads(event["text"])
            if frame["type"] == kind:
                return frame

    async def closed(self) -> int:
        """The code that the server closes with."""
        while (event := await self.event())["type"] != "websocket.close":
            pass
        return int(event["code"])

    async def say(self, raw: Any) -> None:
        text = raw if isinstance(raw, str) else json.dumps(raw)
        await self.incoming.put({"type": "websocket.receive", "text": text})


@asynccontextmanager
async def connected(
    cookie: str,
    *,
    origin: str = "http://desk:8000",
    host: str = "desk:8000",
    scheme: str = "ws",
) -> AsyncIterator[Socket]:
    """Connect as a browser would; ``socket.accepted`` is the server's first word."""
    socket = Socket(cookie, origin=origin, host=host, scheme=scheme)
    await socket.incoming.put({"type": "websocket.connect"})
    task = asyncio.create_task(
        LiveConsumer()(socket.scope, socket.incoming.get, socket.outgoing.put)
    )
    socket.accepted = (await socket.event())["type"] == "websocket.accept"
    try:
        yield socket
    finally:
        await socket.incoming.put({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(SECONDS):
            await task


def cookie_of(user: User) -> str:
    """The cookie of a browser in which this person signed in."""
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"
