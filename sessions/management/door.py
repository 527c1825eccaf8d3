"""The way from a server into the application, which can be shut and then empties."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from sessions.management import limits
from streaming.core import frames
from streaming.core.errors import CloseCode, Draining

Application = Callable[..., Awaitable[None]]

UNAVAILABLE = 503


class Door:
    """
    An ASGI application that knows who is inside.

    It wraps no message, so that it costs a connection and not a frame.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.is_shut = False
        self._requests = 0
        self._sockets: dict[int, Application] = {}
        self._left = asyncio.Event()

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        """
        Serve one scope, or refuse it once the door is shut.

        No coroutine itself: it would be one more for each connection as long as that lives.
        """
        serve: Application = self._request
        if scope["type"] == "lifespan":
            serve = self.application
        elif self.is_shut:
            serve = _refuse
        elif scope["type"] == "websocket":
            serve = self._socket
        return serve(scope, receive, send)

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        self._sockets[id(send)] = send
        try:
            await self.application(scope, receive, send)
        finally:
            del self._sockets[id(send)]
            self._left.set()

    async def _request(self, scope: Any, receive: Any, send: Any) -> None:
        self._requests += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self._requests -= 1
            self._left.set()

    async def drain(self, end: Callable[[], Awaitable[None]]) -> None:
        """
        Let nobody in any more, and wait a while for the sockets to be closed.

        ``end`` stops the application, which sends everybody away in its own words; sockets that it
        leaves open are closed with 4200.
        """
        self.is_shut = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.DRAIN_SECONDS):
                await end()
        await self._dismiss()

    async def _dismiss(self) -> None:
        goodbye = {"type": "websocket.close", "code": int(CloseCode.DRAINING)}
        leaving = [asyncio.ensure_future(send(goodbye)) for send in self._sockets.values()]
        if leaving:
            _, stuck = await asyncio.wait(leaving, timeout=limits.GOODBYE_SECONDS)
            for one in stuck:
                one.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)

    async def emptied(self, *, within_seconds: float) -> bool:
        """Wait until nobody is inside; False when somebody is still there after that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while self._requests or self._sockets:
                    self._left.clear()
                    await self._left.wait()
        return not self._requests and not self._sockets


async def _refuse(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        # Accepted first, because a server that refuses a socket can say no reason.
        await receive()
        text = frames.encode(frames.error(Draining()))
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": text})
        await send({"type": "websocket.close", "code": int(CloseCode.DRAINING)})
        return
    headers = [(b"retry-after", b"1"), (b"connection", b"close"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": UNAVAILABLE, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
