"""Threads that carry out requests, one at a time each, and are kept for the next one."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

KEPT = 8
"""So many threads wait for more; a request that finds none waiting has one made for it."""


class Lanes:
    """
    As many threads as there are requests at a time, most of which were there before.

    A thread for each request, as Django has it, opens a connection for each request: on SQLite
    that reads the whole schema again, prepares every statement again and costs more than most
    views. The thread that came back last goes first, because what it needs is still near.
    """

    def __init__(self) -> None:
        self._idle: list[ThreadPoolExecutor] = []

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out a call in a thread, in the context of the caller; to its end in any case."""
        lane = self._take()
        context = contextvars.copy_context()
        done = lane.submit(context.run, partial(call, *args, **kwargs))
        # In the thread itself, and also for a caller that no longer waits.
        done.add_done_callback(partial(self._give_back, lane))
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Let the threads that wait end, with their connections."""
        while self._idle:
            lane = self._idle.pop()
            lane.submit(connections.close_all)
            lane.shutdown(wait=True)

    def _take(self) -> ThreadPoolExecutor:
        try:
            return self._idle.pop()
        except IndexError:
            return ThreadPoolExecutor(1, thread_name_prefix="aegis-request")

    def _give_back(self, lane: ThreadPoolExecutor, _done: "Future[Any]") -> None:
        if len(self._idle) < KEPT:
            self._idle.append(lane)
        else:
            connections.close_all()
            lane.shutdown(wait=False)
