"""How long tools take."""

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

from sessions import metrics
from sessions.agent.tools import Call, Tool

R = TypeVar("R")


def track_tool_time(
    tool: str, source: str = "builtin"
) -> Callable[[Callable[[Call], Awaitable[R]]], Callable[[Call], Awaitable[R]]]:
    """Count how long each call takes under ``tool_execution_time_seconds``, however it ends."""
    histogram = metrics.tool_execution_time.labels(metrics.tool_label(tool, source))

    def decorate(execute: Callable[[Call], Awaitable[R]]) -> Callable[[Call], Awaitable[R]]:
        @wraps(execute)
        async def timed(call: Call) -> R:
            began = time.perf_counter()
            try:
                return await execute(call)
            finally:
                histogram.observe(time.perf_counter() - began)

        return timed

    return decorate


def timed(tool: Tool) -> Tool:
    """The same tool, whose calls are counted."""
    return Tool(tool.spec, track_tool_time(tool.spec.name, tool.spec.source)(tool.execute))
