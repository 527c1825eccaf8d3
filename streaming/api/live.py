"""What is known of topics now, asked from a request's thread."""

import asyncio
from collections.abc import Iterable

from aegis_project.kit.errors import ServiceUnavailable
from streaming import node
from streaming.hub.watch import Readings

Figures = Readings


def figures(session_ids: Iterable[str]) -> dict[str, Figures]:
    """What all processes see of the open topics of sessions; nothing where no server runs."""
    here = node.current()
    if here is None:
        return {}
    wanted, hub = list(session_ids), here.hub

    async def ask() -> dict[str, Figures]:
        # On the hub's own loop, so that nothing moves while it is read.
        at = asyncio.get_running_loop().time()
        return {key: hub.watch.read(hub, key, at=at) for key in wanted}

    try:
        return here.call(ask())
    except ServiceUnavailable:
        return {}
