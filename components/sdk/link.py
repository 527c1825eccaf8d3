"""One registration: its control socket, from the register to the close code."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import websockets
from websockets.asyncio.client import ClientConnection

from aegis_project.kit.errors import AegisError
from components.core import effects, reconnect
from components.core.client import Effect, Join, Registration, Tell
from components.core.reconnect import Verdict
from components.sdk import datasocket, errors, wire
from components.sdk.datasocket import BROKEN, DataSocket, close_code, connect
from components.sdk.tools import Tools
from streaming.core import frames

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """How a registration ended: the close code, None for a connection that broke."""

    code: int | None
    error: AegisError
    retry_ms: int | None = None
    was_joined: bool = False


class Owner(datasocket.Owner, Protocol):
    """The component, as its registration knows it."""

    tools: Tools

    @property
    def is_attached(self) -> bool:
        """Whether there is a data socket."""

    def join(self, join: Join, link: "Link") -> None:
        """Be this component from now on."""

    async def told(self, command: str, frame: wire.Frame) -> None:
        """Hear what the server says on the control socket."""

    async def tick(self) -> None:
        """Do what is due about once a second."""


class Link:
    """
    Carry one registration; every decision is :class:`Registration`'s.

    ``run`` returns when either socket says that the registration is over.
    """

    def __init__(self, owner: Owner) -> None:
        self.settings = owner.settings
        self.owner = owner
        self.registration = Registration(now=self._now(), beats=self.settings.beats)
        self._ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._data: asyncio.Task[None] | None = None

    async def run(self) -> End:
        """Register and stay until the end; what fails in the owner's code is raised."""
        try:
            control = await connect(self.settings.control_url)
        except BROKEN as error:
            logger.info("Aegis cannot be reached", extra={"action": "connect", "error": str(error)})
            return End(None, errors.closed(None))
        try:
            return await self._live(control)
        finally:
            await control.close()

    async def _live(self, control: ClientConnection) -> End:
        self.control = control
        register = self.settings.register(
            self.owner.component_id, self.owner.streams.names, self.owner.tools.offers()
        )
        self._start(self._read(frames.encode(register)))
        self._start(self._tick())
        try:
            end = await self._ended
            if reconnect.judge(end.code, is_staying=False) is Verdict.RETURN:
                await self._drain()
            return end
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self) -> None:
        # The server closes the data socket too, behind its last records and their END.
        if self._data is not None and self.owner.is_attached:
            await asyncio.wait([self._data])

    @property
    def is_over(self) -> bool:
        return self._ended.done()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guard(work))
        self._tasks.append(task)
        return task

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except websockets.ConnectionClosed as error:
            self.end(close_code(error))
        except Exception as error:  # noqa: BLE001 -- raised where the link is awaited
            if not self._ended.done():
                self._ended.set_exception(error)

    def end(self, code: int | None, error: AegisError | None = None) -> None:
        """Note the first reason why this registration is over."""
        if self._ended.done():
            return
        told = self.registration.error
        if error is None and told is not None:
            error = errors.told(told["code"], told.get("message", ""), told.get("details"))
        self._ended.set_result(
            End(
                code=code,
                error=error or errors.closed(code),
                retry_ms=self.registration.retry_ms,
                was_joined=self.registration.is_joined,
            )
        )

    # The control socket

    async def _read(self, register: str) -> None:
        await self.control.send(register)
        while True:
            raw = await self.control.recv()
            await self.perform(self.registration.receive(raw, now=self._now()))

    async def _tick(self) -> None:
        period = min(1.0, self.settings.beats.interval_seconds / 5)
        while True:
            await asyncio.sleep(period)
            await self.perform(self.registration.tick(now=self._now()))
            await self.owner.tick()

    async def perform(self, decided: list[Effect]) -> None:
        """Carry out what the registration decided, in its order."""
        for effect in decided:
            match effect:
                case effects.Reply(frame=frame):
                    await self.say(frame)
                case effects.Close(code=code):
                    self.end(None, errors.closed(code))
                case Join():
                    self.owner.join(effect, self)
                    self._data = self._start(self._stream(effect))
                case Tell(command=command, frame=frame):
                    await self.owner.told(command, frame)

    async def _stream(self, join: Join) -> None:
        url = self.settings.data_url(join.data_socket)
        await DataSocket(url, owner=self.owner, partner=self).run()

    async def ready(self) -> None:
        """Say that records can be taken."""
        await self.perform(list(self.registration.ready()))

    async def say(self, frame: wire.Frame) -> None:
        """
        Send one frame on the control socket.

        :raises WebSocketException: when it is closed
        """
        await self.control.send(frames.encode(frame))

    def heard(self) -> None:
        """Note that the data socket brought something."""
        self.registration.heard(now=self._now())

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
