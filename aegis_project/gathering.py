"""Writes that come while one is under way, carried out together by the next."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from aegis_project.database import run_db

T = TypeVar("T")

MOST = 256
"""So many are carried out by one call."""


class Gathering(Generic[T]):
    """
    One call for many items, each of which is waited for alone.

    Nobody waits for others to come: the first item goes at once, and those that come until that
    is done go together. ``call`` runs in the pool of the database and gives for each item why it
    was refused, or None; what it raises is every item's. All on one loop.
    """

    def __init__(self, call: Callable[[Sequence[T]], Sequence[Exception | None]]) -> None:
        self._call = call
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """
        Have an item carried out, also when its caller no longer waits.

        :raises Exception: that of this item
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        await done

    async def _work(self) -> None:
        try:
            while self._waiting:
                now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                refusals = await self._carry_out([item for item, _ in now])
                for (_, done), refusal in zip(now, refusals, strict=True):
                    if not done.done():
                        _settle(done, refusal)
        finally:
            self._task = None

    async def _carry_out(self, items: Sequence[T]) -> Sequence[Exception | None]:
        try:
            return await run_db(self._call, items)
        except Exception as error:  # noqa: BLE001 -- it belongs to those who wait
            return [error] * len(items)


def _settle(done: asyncio.Future[None], refusal: Exception | None) -> None:
    if refusal is None:
        done.set_result(None)
    else:
        done.set_exception(refusal)
