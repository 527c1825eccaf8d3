"""What is refused before any of Django sees it."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from aegis_project.kit.errors import (
    AegisError,
    PayloadTooLarge,
    RequestTimeout,
    ServiceUnavailable,
)

Application = Callable[..., Awaitable[None]]

# A body has this long to come, and a second more for each so many bytes of it that have come.
BODY_SECONDS, BYTES_PER_SECOND = 30.0, 32 * 1024
# Bodies of one process, and of one peer there, that have begun and not ended. A server hands on
# what it read at once, which may be a quarter of a MiB of each.
MOST_UNFINISHED, MOST_OF_PEER = 32, 16
# A client that still sends reads no answer, and a connection that is closed on unread bytes loses
# it. So what comes is thrown away for this long, up to so many bytes, of so many at a time.
LINGER_SECONDS, LINGER_BYTES, MOST_LINGERING = 1.0, 4 * 1024 * 1024, 8


class BodyLimit:
    """
    Answer 413 to a body above the limit, before it is read into memory or onto the disk.

    Addresses that take files, those that match ``uploads``, have a limit of their own. A body that
    does not come in time is answered with 408, and one too many that come slowly with 503.
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
        self._unfinished: Counter[str] = Counter()
        self.lingering = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one scope."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        most = self._most(scope)
        if _declared(scope) > most:
            # Whoever asks first whether to send has sent nothing that could be thrown away.
            sends = _header(scope, b"expect") is None
            await self.refuse(PayloadTooLarge(max_bytes=most), send, receive if sends else None)
            return
        body = Body(self, (scope.get("client") or ("",))[0], most, receive, send)
        try:
            await self.application(scope, body.receive, body.send)
        finally:
            body.finish()

    def begin(self, peer: str) -> bool:
        """Count one more body on its way from this peer; False where there is no room for it."""
        of_peer, of_all = self._unfinished[peer], self._unfinished.total()
        has_room = of_peer < MOST_OF_PEER and of_all < MOST_UNFINISHED
        if has_room:
            self._unfinished[peer] += 1
        return has_room

    def finish(self, peer: str) -> None:
        """Count one less."""
        self._unfinished[peer] -= 1
        # Only those are kept that have some.
        self._unfinished = +self._unfinished

    async def refuse(self, error: AegisError, send: Any, receive: Any) -> None:
        """Answer; ``receive`` still brings a body that nobody wants, None where none comes."""
        body = orjson.dumps({"error": {**error.as_dict(), "request_id": ""}})
        headers = [*_headers(body), (b"connection", b"close")]
        if error.temporary:
            headers.append((b"retry-after", b"2"))
        await send({"type": "http.response.start", "status": error.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if receive is not None and self.lingering < MOST_LINGERING:
            self.lingering += 1
            try:
                await _linger(receive)
            finally:
                self.lingering -= 1
        await send({"type": "http.response.body", "body": b""})

    def _most(self, scope: Any) -> int:
        takes_files = self.uploads is not None and self.uploads.fullmatch(scope["path"])
        return self.max_upload_bytes if takes_files else self.max_bytes


class Body:
    """One body on its way to the application, which hears of a disconnect if it goes too far."""

    __slots__ = (
        "_give_up_at",
        "_got",
        "_is_answered",
        "_is_counted",
        "_limit",
        "_more",
        "_most",
        "_peer",
        "_receive",
        "_send",
    )

    def __init__(self, limit: BodyLimit, peer: str, most: int, receive: Any, send: Any) -> None:
        self._limit, self._peer, self._most = limit, peer, most
        self._receive, self._send = receive, send
        self._got = 0
        self._more = True
        self._is_answered = False
        self._is_counted = False
        self._give_up_at = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive(self) -> Any:
        """The next message of the client, or the end of its connection."""
        if not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._give_up_at + self._got / BYTES_PER_SECOND):
                message = await self._receive()
        except TimeoutError:
            return await self._refuse(RequestTimeout())
        self._got += len(message.get("body", b""))
        self._more = bool(message.get("more_body"))
        error = self._judged()
        if error is None:
            return message
        # What nobody wants is not kept while the rest of it is thrown away.
        del message
        return await self._refuse(error)

    async def send(self, message: Any) -> None:
        """Send what the application answers, unless it was refused already."""
        if not self._is_answered:
            await self._send(message)

    def finish(self) -> None:
        """It is whole, or nobody waits for it any more."""
        if self._is_counted:
            self._is_counted = False
            self._limit.finish(self._peer)

    def _judged(self) -> AegisError | None:
        """What is wrong with what has come until now."""
        if self._got > self._most:
            return PayloadTooLarge(max_bytes=self._most)
        if not self._more:
            self.finish()
        elif not self._begin():
            return ServiceUnavailable("Too many bodies are on their way.")
        return None

    def _begin(self) -> bool:
        self._is_counted = self._is_counted or self._limit.begin(self._peer)
        return self._is_counted

    async def _refuse(self, error: AegisError) -> Any:
        self.finish()
        receive = self._receive if self._more else None
        self._is_answered, self._more = True, False
        await self._limit.refuse(error, self._send, receive)
        return {"type": "http.disconnect"}


def _header(scope: Any, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _declared(scope: Any) -> int:
    value = _header(scope, b"content-length") or b""
    return int(value) if value.isdigit() else 0


async def _linger(receive: Any) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                # A piece is gone before the next one comes.
                taken = _taken(await receive())
                if taken is None:
                    return
                left -= taken
    except TimeoutError:
        return


def _taken(message: Any) -> int | None:
    """The bytes of a piece; None of the last one, and of the end of a connection."""
    return len(message["body"]) if message.get("more_body") else None


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]


def asks_for_life(scope: Any) -> bool:
    """Whether somebody only wants to know if this process lives."""
    return scope["path"] == "/healthz" and scope["method"] in {"GET", "HEAD"}


async def alive(scope: Any, _receive: Any, send: Any) -> None:
    """Say that the process lives, from the loop itself: no thread and no Django is needed for it."""
    body = b"" if scope["method"] == "HEAD" else b'{"status": "ok"}'
    headers = [*_headers(body), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def unknown_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuse a socket at an address that leads nowhere."""
    await receive()
    await send({"type": "websocket.close", "code": 4004})
