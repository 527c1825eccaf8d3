"""How fast components speak now and how far behind they are, as the processes know it."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.errors import ServiceUnavailable
from streaming import node
from streaming.hub.watch import Reading

Readings = Mapping[str, Reading]
"""The topics of one session that are open anywhere, by name."""


class Flow(NamedTuple):
    """
    What a component gives and takes.

    ``rate`` is the records per second on the topics that it publishes, None if on none; ``lag``
    its largest lag in records, None if it takes nothing; ``dropped`` all that it lost.
    """

    rate: float | None = None
    lag: int | None = None
    dropped: int = 0


NOTHING = Flow()


def look(session_ids: Iterable[UUID]) -> list[Readings]:
    """What is known of each session, from a request's thread; nothing where no server runs."""
    here, wanted = node.current(), [str(one) for one in set(session_ids)]
    if here is None or not wanted:
        return []
    hub = here.hub

    async def read() -> list[Readings]:
        at = asyncio.get_running_loop().time()
        return [hub.watch.read(hub, one, at=at) for one in wanted]

    try:
        return here.call(read())
    except ServiceUnavailable:
        return []


def of_sessions(session_ids: Iterable[UUID]) -> dict[str, Flow]:
    """What the components of some sessions give and take, by their ids."""
    return {component: one for found in look(session_ids) for component, one in of(found).items()}


def of(readings: Readings) -> dict[str, Flow]:
    """What the components of one session give and take, by their ids."""
    found: dict[str, Flow] = {}
    for reading in readings.values():
        for one in reading.subscribers:
            so_far = found.get(one.component_id, NOTHING)
            found[one.component_id] = so_far._replace(
                lag=max(so_far.lag or 0, one.lag), dropped=so_far.dropped + one.dropped
            )
        for writer in reading.writers:
            so_far = found.get(writer, NOTHING)
            found[writer] = so_far._replace(rate=(so_far.rate or 0) + (reading.rate or 0))
    return found


def rate(flow: Flow) -> SafeString:
    """How fast it speaks."""
    return marks.none() if flow.rate is None else marks.figure(marks.rate(flow.rate))


def lag(flow: Flow) -> SafeString:
    """How far behind it is."""
    return marks.none() if flow.lag is None else marks.figure(marks.number(flow.lag))


def dropped(flow: Flow) -> SafeString:
    """What it lost."""
    return marks.none() if flow.lag is None else marks.figure(marks.number(flow.dropped))


def behind(flow: Flow) -> SafeString:
    """How far behind it is, and below what it lost."""
    if not flow.dropped:
        return lag(flow)
    lost = f"{marks.number(flow.dropped)} lost"
    return format_html(
        '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>', lag(flow), lost
    )


CELLS = {"rate_cell": rate, "behind_cell": behind}
