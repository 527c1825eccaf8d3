"""uvicorn's HTTP with bounds on what it otherwise waits for and keeps: heads of requests."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sessions.management import limits

TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)


class Waiting:
    """The connections of one server that have not said yet what they want, the oldest first."""

    def __init__(self) -> None:
        self._since: dict[Http, float] = {}

    def add(self, connection: "Http", now: float) -> None:
        """Count the time from now; where too many wait, the one that waits longest has to go."""
        self._since.setdefault(connection, now)
        if len(self._since) > limits.MOST_WAITING:
            oldest = next(iter(self._since))
            self.discard(oldest)
            oldest.transport.abort()

    def discard(self, connection: "Http") -> None:
        """It has said what it wants, or is gone."""
        self._since.pop(connection, None)

    def look_after(self, now: float) -> None:
        """End those that have had their time."""
        late = [one for one, since in self._since.items() if now - since >= limits.HEAD_SECONDS]
        for one in late:
            self.discard(one)
            one.end_with(TIMEOUT)


class Http(HttpToolsProtocol):
    """
    A connection whose requests must begin in time, and whose heads are not endless.

    uvicorn holds a head (and the fields after a body in chunks) in memory until its end has come,
    however large it grows and however long that takes.
    """

    def __init__(self, *args: Any, waiting: Waiting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = waiting
        # Bytes since something of a request was whole.
        self.unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waiting.add(self, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is too much of a head."""
        if self.owes_nothing:
            self.waiting.add(self, self.loop.time())
        self.unread += len(data)
        super().data_received(data)
        if self.unread > limits.MAX_HEAD_BYTES and not self.transport.is_closing():
            self.end_with(TOO_LARGE)

    def on_headers_complete(self) -> None:
        self.unread = 0
        self.waiting.discard(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.unread = 0
        super().on_message_complete()

    @property
    def owes_nothing(self) -> bool:
        """Whether nothing was asked that has no answer yet."""
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def end_with(self, answer: bytes) -> None:
        """Say why, unless an answer is on its way already, and close."""
        if self.owes_nothing:
            self.transport.write(answer)
        self.transport.close()
