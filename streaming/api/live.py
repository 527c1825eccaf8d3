"""What the hub of this process knows of topics, asked from a request's thread."""

from collections.abc import Iterable

from aegis_project.kit.errors import ServiceUnavailable
from streaming import node
from streaming.hub.figures import TopicFigures

Figures = dict[str, TopicFigures]


def figures(session_ids: Iterable[str]) -> dict[str, Figures]:
    """The open topics of sessions by name; nothing where no server runs."""
    here = node.current()
    if here is None:
        return {}
    wanted, hub = list(session_ids), here.hub

    async def ask() -> dict[str, Figures]:
        # On the hub's own loop, so that nothing moves while it is read.
        return {key: {one.name: one for one in hub.topics(key)} for key in wanted}

    try:
        return here.call(ask())
    except ServiceUnavailable:
        return {}
