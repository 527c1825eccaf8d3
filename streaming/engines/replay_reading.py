"""Reading a source away from the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from aegis_project.database import read_db
from streaming.sources.blocks import TopicSource

P = ParamSpec("P")
T = TypeVar("T")


async def away(
    sources: Sequence[TopicSource], call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Make a call that reads these: in a thread, or where the database is read."""
    if any(source.is_stored for source in sources):
        return await read_db(call, *args, **kwargs)
    return await asyncio.to_thread(call, *args, **kwargs)
