"""What is refused before any of Django sees it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from aegis_project.kit.errors import PayloadTooLarge

Application = Callable[..., Awaitable[None]]


class BodyLimit:
    """
    Answer 413 to a body above the limit, before it is read into memory or onto the disk.

    Addresses that take files, those that match ``uploads``, have a limit of their own.
    """

    def __init__(
        self,
        application: Application,
        *,
        max_bytes: int,
        uploads: str = "",
        max_upload_bytes: int = 0,
    ) -> None:
        self.application = application
        self.max_bytes = max_bytes
        self.uploads = re.compile(uploads) if uploads else None
        self.max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one scope."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        most = self._most(scope)
        if _declared(scope) > most:
            await _refuse(send)
            return
        await self._count(scope, receive, send, most)

    def _most(self, scope: Any) -> int:
        takes_files = self.uploads is not None and self.uploads.fullmatch(scope["path"])
        return self.max_upload_bytes if takes_files else self.max_bytes

    async def _count(self, scope: Any, receive: Any, send: Any, most: int) -> None:
        got = 0
        is_answered = False

        async def counted() -> Any:
            nonlocal got, is_answered
            message = await receive()
            got += len(message.get("body", b""))
            if got > most and not is_answered:
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
