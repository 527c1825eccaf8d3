"""uvicorn's WebSocket with less around each connection, and frames that are made once for all."""

import asyncio
import os
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

# Where a message keeps its frame for the next subscriber that it is sent to.
FRAME = "aegis.frame"
FINAL_TEXT, PING = 0x81, b"\x89\x04"
# What a client has not taken when its application is gone is thrown away after this time.
LINGER_SECONDS = 0.5


class Inbox:
    """What came and was not read yet: what uvicorn needs of a queue, in a tenth of the memory."""

    __slots__ = ("_waiter", "events")

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._waiter: asyncio.Future[None] | None = None

    def put_nowait(self, event: Any) -> None:
        """Add an event and wake whoever waits for it."""
        self.events.append(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def arrival(self) -> asyncio.Future[None]:
        """Done when an event has come; only one may wait at a time."""
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter


class Latch:
    """What uvicorn needs of an event, set at first, in a tenth of the memory."""

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = True
        self._waiters: list[asyncio.Future[None]] = []

    def is_set(self) -> bool:
        """Whether nobody has to wait."""
        return self._is_set

    def set(self) -> None:
        """Let everybody go on."""
        self._is_set = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Make whoever comes wait."""
        self._is_set = False

    async def wait(self) -> None:
        """Wait until it is set."""
        while not self._is_set:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter


class Socket(WebSocketsSansIOProtocol):
    """
    A connection on which nothing is compressed.

    A text that goes to many is framed once: the bytes stay with the message. Pings are sent by
    :meth:`look_after`, without timers of each connection's own. What a client does not take when
    its application is gone is thrown away, where uvicorn would hold it as long as the client is.
    """

    # What uvicorn sets on each connection: more than thirty names in a dictionary of their own
    # would take a kilobyte more.
    __slots__ = (
        "app",
        "app_state",
        "asgi_version",
        "client",
        "close_sent",
        "close_timeout",
        "close_timer",
        "config",
        "conn",
        "connections",
        "curr_msg_data_type",
        "default_headers",
        "disconnected",
        "frames",
        "handshake_complete",
        "handshake_initiated",
        "inbox",
        "initial_response",
        "last_ping_rtt",
        "logger",
        "look_at",
        "loop",
        "pending_ping_payload",
        "ping_interval",
        "ping_sent_at",
        "ping_timeout",
        "ping_timer",
        "pong_timer",
        "queue",
        "read_paused",
        "request",
        "response",
        "root_path",
        "scheme",
        "scope",
        "server",
        "tasks",
        "transport",
        "writable",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Both do what uvicorn asks of them.
        self.inbox = self.queue = Inbox()  # type: ignore[assignment]
        self.writable = Latch()  # type: ignore[assignment]
        # There is nothing to look after before this moment (seconds of the loop).
        self.look_at = 0.0

    async def receive(self) -> Any:
        """The next ASGI message; while it is waited for, there is no coroutine but this."""
        events = self.inbox.events
        while not events:
            await self.inbox.arrival()
        event = events.pop(0)
        if self.read_paused and not events:
            self.read_paused = False
            self.transport.resume_reading()
        return event

    async def send(self, message: Any) -> None:
        """Send an ASGI message; a text takes the short way while the connection is open."""
        text = message.get("text")
        if text is None or not self._is_clear():
            await self._send_slowly(message)
            return
        framed = message.get(FRAME)
        if framed is None:
            framed = message[FRAME] = frame(text.encode())
        self.transport.write(framed)

    def _is_clear(self) -> bool:
        is_open = self.handshake_complete and self.conn.state is State.OPEN
        return is_open and self.writable.is_set() and not (self.close_sent or self.disconnected)

    async def _send_slowly(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            # The scope has what anybody still asks for; the parser keeps the request.
            self.request.headers.clear()
            del self.request, self.response
            self.server = self.client = None

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """See to it that a connection ends when its application has."""
        super().on_task_complete(task)
        left = LINGER_SECONDS + (self.close_timeout if self.close_timer is not None else 0)
        self.loop.call_later(left, self.transport.abort)

    # Pings

    def start_keepalive(self) -> None:
        """Count the time until the first ping."""
        self.look_at = self.ping_sent_at = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Take what came; who says something need not be asked."""
        if self.pending_ping_payload is None:
            self.ping_sent_at = self.loop.time()
        super().data_received(data)

    def look_after(self, now: float) -> None:
        """Ping when that is due, and end a connection whose pong is; called again and again."""
        if not self._is_kept():
            return
        if self.read_paused and self.writable.is_set():
            # The application has not read what came before, so no pong can be read either.
            self.ping_sent_at = now
        since = now - self.ping_sent_at
        if self.pending_ping_payload is None:
            if since >= (self.ping_interval or since + 1):
                self.pending_ping_payload, self.ping_sent_at = os.urandom(4), now
                self.transport.write(PING + self.pending_ping_payload)
        elif since >= (self.ping_timeout or since + 1):
            self.keepalive_timeout()
            self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        # While a pong is due each look counts, because reading may be held back until then.
        is_calm = self.pending_ping_payload is None
        self.look_at = self.ping_sent_at + (self.ping_interval or 0) if is_calm else now

    def _is_kept(self) -> bool:
        is_open = self.handshake_complete and self.conn.state is State.OPEN
        return is_open and not (self.close_sent or self.transport.is_closing())


def frame(payload: bytes) -> bytes:
    """One unmasked text frame."""
    size = len(payload)
    if size < 126:
        return bytes((FINAL_TEXT, size)) + payload
    if size < 65536:
        return b"%c~%b%b" % (FINAL_TEXT, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (FINAL_TEXT, size.to_bytes(8, "big"), payload)
