"""A socket on which each frame is a command, and each answer says which one it is to."""

import asyncio
import contextvars
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Generic, TypeVar
from uuid import uuid4

import orjson
from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import connection

from aegis_project.database import run_db
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError, InternalError, NotAuthenticated, RateLimited
from aegis_project.kit.principal import Principal
from aegis_project.kit.ratelimit import Bucket
from components import auth
from sessions.dialects import door
from sessions.dialects.outlet import Outlet
from streaming.api.base import MAX_BODY
from streaming.core.errors import CloseCode, close_code

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Who may not be here any more is sent away within this time.
CHECK_SECONDS = 4.0
BURST_SECONDS = 2.0
# Commands that wait for others: of one socket, and the threads of all of them. They are none of
# those that others need to be waited for no more.
MOST_WAITING = 16
WAITING_THREADS = 64

_waiting = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="aegis-waiting")


class Wire(AsyncConsumer, Generic[T]):
    """
    One client's socket, opened by a header, a cookie or ``--open``.

    Commands are carried out one after the other; those that wait for others do so beside them. A
    refusal is an answer and closes nothing. What was begun goes on without the client.
    """

    transport: ClassVar[str]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection; no channel layer and no dispatch take part."""
        self._scope: Mapping[str, Any] = scope
        self._outlet = Outlet(scope, send)
        self._beside: set[asyncio.Task[None]] = set()
        frames = settings.ENVIRONMENT.control_frames_per_second
        self._bucket = Bucket(per_second=frames, burst_seconds=BURST_SECONDS)
        await receive()
        principal = await self._shown()
        if principal is None:
            door.turned_away(scope)
            await send({"type": "websocket.close"})
            return
        self.principal = principal
        try:
            await self.opening()
            await send({"type": "websocket.accept"})
            with auth.room_for(principal):
                await self._serve(receive)
        except AegisError as error:
            await self._outlet.close(close_code(error), error.message)

    # What a dialect says of itself

    async def opening(self) -> None:
        """Prepare before the client is let in; what is raised here keeps it out."""

    def work(self) -> list[Awaitable[None]]:
        """What goes on beside the commands, as long as the socket is open."""
        return []

    @abstractmethod
    def read(self, value: Any) -> T:
        """The command in a decoded frame."""

    @abstractmethod
    def waits(self, asked: T) -> bool:
        """Whether a command waits for others."""

    @abstractmethod
    def act(self, principal: Principal, asked: T) -> dict[str, Any]:
        """Carry a command out; what is answered, refusals included."""

    @abstractmethod
    def fault(self, value: Any, error: AegisError) -> dict[str, Any]:
        """What is answered to a frame that is no command, or one that failed."""

    # The socket

    async def reply(self, value: dict[str, Any]) -> None:
        """Send a frame, when the client takes it."""
        text = orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).decode()
        await self._outlet.say(text)

    async def _shown(self) -> Principal | None:
        """Who is there now: a secret that opens nothing any more is nobody's."""
        try:
            return await run_db(door.shown, self._scope, transport=self.transport)
        except NotAuthenticated:
            return None

    async def _serve(self, receive: Any) -> None:
        work = [self._listen(receive), self._check(), *self.work()]
        lives = [asyncio.ensure_future(one) for one in work]
        try:
            done, _ = await asyncio.wait(lives, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*lives, *self._beside):
                task.cancel()
            await asyncio.gather(*lives, *self._beside, return_exceptions=True)
        for task in done:
            task.result()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if await self._shown() != self.principal:
                await self._outlet.close(CloseCode.BAD_TOKEN)
                return

    async def _listen(self, receive: Any) -> None:
        loop = asyncio.get_running_loop()
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                self._outlet.over.set()
                return
            if not self._bucket.take(loop.time()):
                raise RateLimited("Too many frames.")
            await self._take(event.get("text") or event.get("bytes") or "")

    async def _take(self, raw: str | bytes) -> None:
        value: Any = None
        try:
            value = strict.decode(raw, max_bytes=MAX_BODY)
            asked = self.read(value)
            is_waiting = self.waits(asked)
            if is_waiting and len(self._beside) >= MOST_WAITING:
                raise RateLimited(f"A socket waits for {MOST_WAITING} commands at a time.")
        except AegisError as error:
            await self.reply(self.fault(value, error))
            return
        if not is_waiting:
            await self._carry_out(value, run_db(self._act, asked))
            return
        task = asyncio.create_task(self._carry_out(value, _aside(self._act, asked)))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _carry_out(self, value: Any, work: Awaitable[dict[str, Any]]) -> None:
        try:
            answer = await work
        except AegisError as error:
            answer = self.fault(value, error)
        except Exception:  # whatever it was, the client is told and we see it
            logger.exception("A frame failed", extra={"action": f"{self.transport}_failed"})
            answer = self.fault(value, InternalError())
        await self.reply(answer)

    def _act(self, asked: T) -> dict[str, Any]:
        principal = self.principal.via(self.transport, request_id=uuid4().hex)
        return self.act(principal, asked)


async def _aside(call: Callable[[T], dict[str, Any]], asked: T) -> dict[str, Any]:
    """Carry out what may wait for long, in a thread that nobody else needs."""

    def run() -> dict[str, Any]:
        try:
            return call(asked)
        finally:
            connection.close()

    within = contextvars.copy_context().run
    return await asyncio.get_running_loop().run_in_executor(_waiting, within, run)
