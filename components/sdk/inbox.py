"""What was received and not processed yet, bounded."""

import asyncio
from collections import deque

from components.sdk.records import Batch


class Inbox:
    """
    Batches between the reader of the data socket and the owner's code.

    A full inbox stops the reader, and through it the server; what the reader holds by then is in
    it already, for where a component stands counts as received. Beyond that it overflows only
    while the owner's code waits for an answer, which stands behind what is not read yet.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting = 0
        self._batches: deque[Batch] = deque()
        self._is_closed = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._batches)

    async def offer(self, batch: Batch) -> None:
        """Put a batch in, then wait until there is room for another."""
        self._batches.append(batch)
        self._arrived.set()
        while len(self._batches) > self.limit and not self.waiting:
            self._room.clear()
            await self._room.wait()

    async def take(self) -> Batch | None:
        """The next batch in the order of arrival; None once closed and empty."""
        while not self._batches:
            if self._is_closed:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        self._room.set()
        return self._batches.popleft()

    def close(self) -> None:
        """Let nothing more be waited for; what is here can still be taken."""
        self._is_closed = True
        self._arrived.set()

    # While the owner's code waits for an answer

    def __enter__(self) -> None:
        self.waiting += 1
        self._room.set()

    def __exit__(self, *_: object) -> None:
        self.waiting -= 1
