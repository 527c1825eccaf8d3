"""How long tools take."""

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sessions import metrics
from sessions.agent.tools import Call, Tool

P = ParamSpec("P")
R = TypeVar("R")


def track_tool_time(
    tool: str, source: str = "builtin"
) -> Callable[[Callable[[Call], Awaitable[R]]], Callable[[Call], Awaitable[R]]]:
    """Count how long each call takes under ``tool_execution_time_seconds``, however it ends."""
    return track_time("tool_execution", tool=metrics.tool_label(tool, source))


def track_time(
    name: str, **labels: str
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """
    Count how long each call takes under ``<name>_time_seconds``, however it ends.

    Seed 004's ``llm_response`` is labelled with the ``model``, its ``tool_execution`` with the
    ``tool``; a label that is not given is *unknown*.

    :raises KeyError: for another name
    """
    histogram = metrics.timed(name, **labels)

    def decorate(execute: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @wraps(execute)
        async def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            began = time.perf_counter()
            try:
                return await execute(*args, **kwargs)
            finally:
                histogram.observe(time.perf_counter() - began)

        return timed

    return decorate


def timed(tool: Tool) -> Tool:
    """The same tool, whose calls are counted."""
    return Tool(tool.spec, track_tool_time(tool.spec.name, tool.spec.source)(tool.execute))
