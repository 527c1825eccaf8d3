"""The lifespan protocol, spoken to the application for a server that has none."""

import asyncio
from typing import Any

from sessions.management.door import Application


class Lifespan:
    """Start and stop an application."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answered: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """
        Start the application.

        :raises Exception: what the application raised instead
        """
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        run = self.application(scope, self._asked.get, self._answered.put)
        self._task = asyncio.ensure_future(run)
        await self._say("lifespan.startup")

    async def shutdown(self) -> None:
        """Stop the application, if it was started."""
        if self._task is not None:
            await self._say("lifespan.shutdown")
            await self._task

    async def _say(self, kind: str) -> None:
        assert self._task is not None  # noqa: S101 -- both callers made sure
        await self._asked.put({"type": kind})
        answer = asyncio.ensure_future(self._answered.get())
        await asyncio.wait({self._task, answer}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            await self._task
