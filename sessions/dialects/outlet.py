"""What the socket of a dialect sends: frame after frame, none behind its close."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from streaming import metrics
from streaming.core.errors import CloseCode

# Daphne takes whatever it is given; above this much that its client has not taken, it gets no more.
UNSENT_BYTES = 262_144
UNSENT_POLL_SECONDS = 0.02
MOST_REASON = 123

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outlet:
    """
    The way out of one socket, for the tasks that share it.

    ``over`` is set once nothing goes out any more: it was closed from here, or its client went.
    """

    def __init__(self, scope: Mapping[str, Any], send: Send) -> None:
        self.over = asyncio.Event()
        self._send = send
        self._unsent = (scope.get("extensions") or {}).get("aegis.unsent")
        self._lock = asyncio.Lock()

    async def say(self, text: str) -> None:
        """Send a frame, when the client takes it; nothing once it is over."""
        while self._unsent is not None and self._unsent() > UNSENT_BYTES:  # noqa: ASYNC110 -- no event is set
            await asyncio.sleep(UNSENT_POLL_SECONDS)
        async with self._lock:
            if not self.over.is_set():
                await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: CloseCode, reason: str = "") -> None:
        """Close the socket, if it is open; of a reason a close has room for a short one."""
        async with self._lock:
            if not self.over.is_set():
                self.over.set()
                metrics.count_close("socket", code)
                told = reason.encode()[:MOST_REASON].decode(errors="ignore")
                await self._send({"type": "websocket.close", "code": int(code), "reason": told})
