"""uvicorn, told to end in our order: sockets first, then requests, then the connections."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import uvicorn

from sessions.management import limits
from sessions.management.door import Door
from sessions.management.uvicorn_http import Http, Waiting
from sessions.management.uvicorn_socket import Socket

CLOSING_STEP_SECONDS = 0.05
LOOK_TICKS = 10
# libuv takes one connection of a listener in each turn of its loop. While turns are long, because
# others send as fast as they can, whoever comes waits for as many turns as others came before. So
# the one listener is given to it several times.
ACCEPTED_AT_ONCE = 8


def terse(record: logging.LogRecord) -> bool:
    """Leave out the traceback of what a client did wrong: a text frame that is no UTF-8."""
    if record.getMessage().startswith("Invalid UTF-8"):
        record.exc_info = None
    return True


class UvicornServer(uvicorn.Server):
    """
    uvicorn on uvloop and httptools; its ``send`` waits while a client does not read.

    Its own end would cut every socket with 1012 before the application hears of it.
    """

    def __init__(
        self,
        *,
        application: Any,
        listener: socket.socket,
        on_started: Callable[[], None],
        trusts_proxy: bool,
    ) -> None:
        self.door = Door(application)
        self.listener = listener
        self.on_started = on_started
        self.waiting = Waiting()
        super().__init__(configuration(self.door, self.waiting, trusts_proxy=trusts_proxy))
        logging.getLogger("uvicorn.error").addFilter(terse)

    def serve_forever(self) -> bool:
        """Serve in the main thread until :meth:`stop`; whether it started at all."""
        with contextlib.ExitStack() as stack:
            again = [stack.enter_context(self.listener.dup()) for _ in range(ACCEPTED_AT_ONCE - 1)]
            try:
                self.run(sockets=[self.listener, *again])
            except SystemExit:
                return False
        return self.started

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the server; uvicorn would raise them once more."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, listen, tell."""
        await super().startup(sockets)
        if self.started:
            self.on_started()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections; uvicorn asks ten times a second whether to end."""
        if counter % LOOK_TICKS == 0:
            now = asyncio.get_running_loop().time()
            self.waiting.look_after(now)
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, Socket) and now >= connection.look_at:
                    connection.look_after(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the application send its sockets away, listen no more, then end as uvicorn does."""
        # Until then whoever asks is told 503, a proxy that looks for readiness among them.
        await self.door.drain(self.lifespan.shutdown)
        for server in self.servers:
            server.close()
        await self._sockets_closed()
        await super().shutdown(sockets)

    async def _sockets_closed(self) -> None:
        # A connection cut with unread input loses what was sent last: the close frame.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.CLOSE_SECONDS):
                # uvicorn tells nobody when a connection is gone.
                while any(map(_is_socket, self.server_state.connections)):  # noqa: ASYNC110
                    await asyncio.sleep(CLOSING_STEP_SECONDS)


def configuration(door: Door, waiting: Waiting, *, trusts_proxy: bool) -> uvicorn.Config:
    """How uvicorn shall serve."""
    # It calls what it types as a class.
    http: Any = partial(Http, waiting=waiting)
    return uvicorn.Config(
        door,
        interface="asgi3",
        loop="uvloop",
        http=http,
        ws=Socket,
        ws_ping_interval=limits.PING_SECONDS,
        ws_ping_timeout=limits.PONG_SECONDS,
        ws_max_size=limits.MAX_MESSAGE_BYTES,
        # Compressing each frame for each subscriber would cost more than all the rest.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=trusts_proxy,
        timeout_graceful_shutdown=limits.FINISH_SECONDS,
    )


def _is_socket(connection: object) -> bool:
    return isinstance(connection, Socket)
