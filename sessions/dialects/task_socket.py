"""The socket of seed 002: tasks in, chunks out, until the last one is final."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.utils import timezone

from aegis_project.database import read_db, run_db
from aegis_project.kit import strict
from aegis_project.kit.errors import (
    AegisError,
    InternalError,
    NotAuthenticated,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal
from aegis_project.kit.ratelimit import Bucket
from components import auth
from sessions.core import chunks, tasks
from sessions.core.chunks import Chunk
from sessions.core.sse import parse
from sessions.dialects import door, task_orders
from sessions.dialects.outlet import Outlet
from sessions.models import Run
from sessions.selectors import run_stream
from sessions.selectors import tasks as reading
from sessions.services import tasks as giving
from streaming import node as nodes
from streaming.api.base import MAX_BODY
from streaming.core.errors import CloseCode, OverCapacity

logger = logging.getLogger(__name__)

TRANSPORT = "tasks"

# A socket without a task is closed after this time.
IDLE_SECONDS = 60.0
# Who may not be here any more is sent away within this time.
CHECK_SECONDS = 4.0
BURST_SECONDS = 2.0
MOST_TASKS = 64


class TaskConsumer(AsyncConsumer):
    """
    One client's socket to one agent.

    A frame is a task to carry out, or the wish to hear one again behind a chunk. A client that has
    sent one task is done when that is: the socket closes after the final chunk. One that has sent
    several tells them apart by their labels and closes the socket itself. What was begun goes on
    without it.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection; no channel layer and no dispatch take part."""
        self._scope: Mapping[str, Any] = scope
        self._outlet = Outlet(scope, send)
        self._agent: str = scope["url_route"]["kwargs"]["agent"]
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._frames = 0
        frames = settings.ENVIRONMENT.control_frames_per_second
        self._bucket = Bucket(per_second=frames, burst_seconds=BURST_SECONDS)
        await receive()
        principal = await self._shown()
        if principal is None:
            door.turned_away(scope)
            await send({"type": "websocket.close"})
            return
        self.principal = principal
        await send({"type": "websocket.accept"})
        try:
            with auth.room_for(principal):
                await self._serve(receive)
        except OverCapacity as error:
            await self._outlet.close(CloseCode.CAPACITY, error.message)

    async def _shown(self) -> Principal | None:
        """Who is there now: a secret that opens nothing any more is nobody's."""
        try:
            return await run_db(door.shown, self._scope, transport=TRANSPORT)
        except NotAuthenticated:
            return None

    async def _serve(self, receive: Any) -> None:
        work = [self._read(receive), self._check(), self._outlet.over.wait()]
        lives = [asyncio.ensure_future(one) for one in work]
        try:
            await asyncio.wait(lives, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._outlet.over.set()
            for task in (*lives, *self._tasks.values()):
                task.cancel()
            await asyncio.gather(*lives, *self._tasks.values(), return_exceptions=True)

    async def _read(self, receive: Any) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    event = await receive()
            except TimeoutError:
                if not self._tasks:
                    await self._outlet.close(CloseCode.NORMAL)
                continue
            if event["type"] == "websocket.disconnect":
                return
            self._frames += 1
            if not self._bucket.take(asyncio.get_running_loop().time()):
                await self._outlet.close(CloseCode.RATE_LIMITED, "too many frames")
                return
            await self._take(event.get("text") or event.get("bytes") or "")

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if await self._shown() != self.principal:
                await self._outlet.close(CloseCode.BAD_TOKEN)

    # Tasks

    async def _take(self, raw: str | bytes) -> None:
        label = ""
        try:
            value = strict.decode(raw, max_bytes=MAX_BODY)
            label = tasks.label_of(value)
            await self._begin(value, label)
        except AegisError as error:
            await self._refuse(label, error)
        except Exception:  # whatever it was, the client is told and we see it
            logger.exception("A task could not begin", extra={"action": "task_failed"})
            await self._refuse(label, InternalError())

    async def _begin(self, value: Any, label: str) -> None:
        if label in self._tasks:
            raise ValidationFailed("A task of this name is still running on this socket.")
        if len(self._tasks) >= MOST_TASKS:
            raise ValidationFailed(f"A socket carries {MOST_TASKS} tasks at a time.")
        wish, after = tasks.attachment(value), 0
        if wish is not None:
            after = parse(str(wish.after) or "0").seq
            run = await read_db(reading.find, self.principal, agent=self._agent, task=wish.task_id)
        else:
            run = await run_db(self._give, tasks.request(value))
        name = label or str(run.pk)
        self._tasks[name] = asyncio.create_task(self._tell(run, name, after))

    def _give(self, asked: tasks.TaskRequest) -> Run:
        given = task_orders.ordered(asked, agent=self._agent)
        return giving.give(principal=self.principal, task=given)

    async def _tell(self, run: Run, name: str, after: int) -> None:
        is_final = False
        try:
            hub, session = nodes.required().hub, str(run.session_id)
            said = run_stream.entries(hub, run, after=after, beat_seconds=CHECK_SECONDS)
            async with aclosing(said) as pieces:
                async for found in pieces:
                    for chunk in chunks.chunks(found, task=name, session=session):
                        await self._reply(chunk)
                        is_final = chunk.final
        except OSError:
            # Nobody is there any more; the reading of the socket says so, too.
            return
        except Exception:  # whatever it was, the client is told and we see it
            logger.exception("A task cannot be told", extra={"action": "task_untold"})
        await self._finish(name, is_final=is_final)

    async def _finish(self, name: str, *, is_final: bool) -> None:
        self._tasks.pop(name, None)
        if not is_final:
            # It goes on, and can be heard elsewhere.
            await self._outlet.close(CloseCode.DRAINING)
        elif self._frames <= 1 and not self._tasks:
            await self._outlet.close(CloseCode.NORMAL)

    async def _refuse(self, label: str, error: AegisError) -> None:
        told = tasks.error(error)
        await self._reply(chunks.failure(task=label, error=told, at=timezone.now()))
        if self._frames <= 1:
            await self._outlet.close(CloseCode.NORMAL)

    # Out

    async def _reply(self, chunk: Chunk) -> None:
        await self._outlet.say(chunks.encode(chunk))
