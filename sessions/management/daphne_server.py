"""Daphne with what it lacks: a lifespan, sight of unsent bytes, an end that closes its sockets."""

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import daphne.server
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred

from sessions.management import limits
from sessions.management.door import Door
from sessions.management.lifespan import Lifespan

logger = logging.getLogger(__name__)

UNSENT = "aegis.unsent"

# Twisted types what every reactor has, not what this one has.
reactor: Any = installed_reactor


class DaphneServer(daphne.server.Server):  # type: ignore[misc]  # it ships no types
    """
    Daphne in the main thread on Twisted's asyncio reactor; it runs once per process.

    Its ``send`` never waits, so each scope says by ``extensions["aegis.unsent"]()`` how many bytes
    its client has not taken yet.
    """

    def __init__(
        self, *, application: Any, listener: socket.socket, on_started: Callable[[], None]
    ) -> None:
        self.door = Door(application)
        self.listener = listener
        self.on_started = on_started
        self.is_good = False
        self._lifespan = Lifespan(application)
        self._port: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(
            self.door,
            # The listener takes the place of an endpoint, once the application has started.
            endpoints=[listener],
            signal_handlers=False,
            ping_interval=limits.PING_SECONDS,
            ping_timeout=limits.PONG_SECONDS,
            websocket_timeout=-1,
            websocket_connect_timeout=limits.HANDSHAKE_SECONDS,
            websocket_handshake_timeout=limits.HANDSHAKE_SECONDS,
            websocket_max_message_size=limits.MAX_MESSAGE_BYTES,
            websocket_max_frame_size=limits.MAX_MESSAGE_BYTES,
            verbosity=0,
            server_name="",
        )

    def serve_forever(self) -> bool:
        """Serve in the main thread until :meth:`stop`; whether it started and ended as it should."""
        self.endpoints: list[Any] = []
        reactor.callLater(0, self._do, self._start)
        self.run()
        return self.is_good

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        reactor.callFromThread(self._do, self._finish)

    def _do(self, step: Callable[[], Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._carefully(step))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carefully(self, step: Callable[[], Any]) -> None:
        try:
            await step()
        except Exception:  # the process must end, and whoever reads the log must see why
            logger.exception("Daphne cannot go on", extra={"action": "server_failed"})
            self.is_good = False
            reactor.stop()

    async def _start(self) -> None:
        await self._lifespan.startup()
        # The reactor listens on a duplicate.
        self._port = reactor.adoptStreamPort(
            self.listener.fileno(), self.listener.family, self.http_factory
        )
        self.listener.close()
        self.is_good = True
        self.on_started()

    async def _finish(self) -> None:
        # Until then whoever asks is told 503, a proxy that looks for readiness among them.
        await self.door.drain(self._lifespan.shutdown)
        if self._port is not None:
            self._port.stopListening()
        await self.door.emptied(within_seconds=limits.CLOSE_SECONDS + limits.FINISH_SECONDS)
        reactor.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Begin a scope; Daphne would let any client say what the root path is."""
        scope["root_path"] = self.root_path
        scope.setdefault("extensions", {})[UNSENT] = partial(unsent_bytes, protocol)
        return super().create_application(protocol, scope)

    def kill_all_applications(self) -> Deferred[Any]:
        """Cancel what still runs; unlike Daphne's own, also when a connection has no application."""
        running = [
            application
            for details in self.connections.values()
            if (application := details.get("application_instance")) is not None
        ]
        for application in running:
            application.cancel()
        return Deferred.fromFuture(asyncio.gather(*running, return_exceptions=True))


def unsent_bytes(protocol: Any) -> int:
    """What was written to a connection and is not with its operating system yet, in bytes."""
    transport = protocol.transport
    if transport is None:
        return 0
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
