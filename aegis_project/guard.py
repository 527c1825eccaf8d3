"""What is refused before any of Django sees it."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from aegis_project.kit.errors import PayloadTooLarge

Application = Callable[..., Awaitable[None]]


class BodyLimit:
    """Answer 413 to a body above the limit, before it is read into memory or onto the disk."""

    def __init__(self, application: Application, *, max_bytes: int) -> None:
        self.application = application
        self.max_bytes = max_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one scope."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if _declared(scope) > self.max_bytes:
            await _refuse(send)
            return
        await self._count(scope, receive, send)

    async def _count(self, scope: Any, receive: Any, send: Any) -> None:
        got = 0
        is_answered = False

        async def counted() -> Any:
            nonlocal got, is_answered
            message = await receive()
            got += len(message.get("body", b""))
            if got > self.max_bytes and not is_answered:
                is_answered = True
                await _refuse(send)
                return {"type": "http.disconnect"}
            return message

        async def answered(message: Any) -> None:
            if not is_answered:
                await send(message)

        await self.application(scope, counted, answered)


def _declared(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _refuse(send: Any) -> None:
    error = PayloadTooLarge()
    body = orjson.dumps({"error": {**error.as_dict(), "request_id": ""}})
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def unknown_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuse a socket at an address that leads nowhere."""
    await receive()
    await send({"type": "websocket.close", "code": 4004})
