"""Seed 003 over a socket: the events of the bus as they happen, and messages to its daemons."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from aegis_project.database import read_db
from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.dialects.bus import joining, registry, shapes
from sessions.dialects.bus.shapes import Message
from sessions.dialects.bus.tail import Tail
from sessions.dialects.wire import Wire
from streaming import hints
from streaming.hints import Hint

# A hint may be lost; many may come at once.
PERIOD_SECONDS = 1.0
SPACING_SECONDS = 0.05
KINDS = frozenset({"lever", "moved"})


class BusConsumer(Wire[Message]):
    """
    One listener: `session_created` and `session_ended` of all sessions that it sees, from now on.

    A frame with `daemon`, `type` and `data` is a message; its answer has the `ref` of it.
    """

    transport = joining.TRANSPORT

    async def opening(self) -> None:
        self.principal.require("events:read")
        self._tail = Tail(self.principal)
        await read_db(self._tail.begin)

    def work(self) -> list[Awaitable[None]]:
        return [self._tell()]

    def read(self, value: Any) -> Message:
        found = shapes.message(value)
        if not found.daemon:
            raise ValidationFailed("daemon must say which daemon the message is to.")
        return found

    def waits(self, asked: Message) -> bool:
        return registry.waits(asked.daemon, asked.type)

    def act(self, principal: Principal, asked: Message) -> dict[str, Any]:
        return _to(asked.ref, registry.send(principal, asked.daemon, asked.type, asked.data))

    def fault(self, value: Any, error: AegisError) -> dict[str, Any]:
        ref = value.get("ref") if isinstance(value, dict) else ""
        return _to(ref if isinstance(ref, str) else "", shapes.refused(error.message))

    async def _tell(self) -> None:
        woken, loop = asyncio.Event(), asyncio.get_running_loop()

        def hear(hint: Hint) -> None:
            if hint.kind in KINDS and not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        hints.listen(hear)
        try:
            while True:
                woken.clear()
                for event in await read_db(self._tail.look):
                    await self.reply({"type": event.type, "data": event.data})
                await asyncio.sleep(SPACING_SECONDS)
                await _woken(woken)
        finally:
            hints.unlisten(hear)


async def _woken(event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(PERIOD_SECONDS):
            await event.wait()
    except TimeoutError:
        return


def _to(ref: str, reply: dict[str, Any]) -> dict[str, Any]:
    return {"ref": ref, **reply} if ref else reply
