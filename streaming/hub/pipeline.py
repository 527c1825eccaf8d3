"""Work of one socket that waits for a store: begun in its order, many pieces under way at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from streaming.hub import inline

MOST = 256


class Pipeline:
    """
    Does at once what need not wait; what has to goes on by itself, up to so many pieces.

    So a socket publishes faster than a store answers, and a memory that answers at once costs no
    task. The work must tell its own failures, and may not care in which task it runs.
    """

    __slots__ = (
        "_most",
        "_tasks",
    )

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece; wait only while there are too many of them."""
        _, begun = inline.begin(work)
        if begun is None:
            return
        task = asyncio.create_task(_finish(begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        while len(self._tasks) >= self._most:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)


async def _finish(begun: inline.Begun[None]) -> None:
    await begun
