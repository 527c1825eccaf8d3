"""What a component takes and gives now: its topics, how far behind it is, what happened to it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.errors import ServiceUnavailable
from aegis_project.kit.principal import Principal
from components.models import Component
from sessions.admin import topic_parts, topic_words
from sessions.admin.events import in_words
from sessions.selectors import timeline
from streaming import node
from streaming.hub.figures import SubscriberFigures
from streaming.hub.watch import Reading
from streaming.selectors import logs

Readings = Mapping[str, Reading]
LAST = 12


@dataclass(frozen=True, slots=True)
class Behind:
    """How many records a component lacks and lost, over all that it takes."""

    lag: int = 0
    dropped: int = 0


async def look(session_id: UUID) -> Readings:
    """The topics of a session that are open anywhere; only from the own loop of this process."""
    hub = node.required().hub
    at = asyncio.get_running_loop().time()
    return hub.watch.read(hub, str(session_id), at=at)


def look_from_thread(session_id: UUID) -> Readings:
    """The same from a request's thread; nothing where no server runs."""
    here = node.current()
    try:
        return here.call(look(session_id)) if here is not None else {}
    except ServiceUnavailable:
        return {}


def behind(readings: Readings) -> dict[str, Behind]:
    """How far behind each subscriber is, by its id: its largest lag, and all that it lost."""
    found: dict[str, Behind] = {}
    for reading in readings.values():
        for one in reading.subscribers:
            so_far = found.get(one.component_id, Behind())
            found[one.component_id] = Behind(max(so_far.lag, one.lag), so_far.dropped + one.dropped)
    return found


def words(found: Behind | None) -> dict[str, SafeString]:
    """How far behind a component is as the cells of a row; nothing for one that takes nothing."""
    if found is None:
        return {"lag": marks.none(), "dropped": marks.none()}
    return {"lag": topic_words.count(found.lag), "dropped": topic_words.count(found.dropped)}


def panel(principal: Principal, component: Component, readings: Readings, *, now: datetime) -> str:
    """What it takes, what it gives, and the last that the ledger tells of it."""
    mine, own = {}, str(component.pk)
    if principal.allows("topics:read"):
        mine = {name: one for name, one in readings.items() if logs.may_see(principal, name)}
    taken = [
        _taken(name, reading, one)
        for name, reading in sorted(mine.items())
        for one in reading.subscribers
        if one.component_id == own
    ]
    given = [_given(name, one) for name, one in sorted(mine.items()) if own in one.writers]
    events = []
    if principal.allows("events:read"):
        events = timeline.of_component(component.session_id, component.pk, limit=LAST)
    return render_to_string(
        "admin/aegis/component_streams.html",
        {
            "session": component.session_id,
            "taken": taken,
            "given": given,
            "rows": [
                {"row": row, "at": marks.clock(row.at, now=now)}
                for row in in_words(component.session_id, events)
            ],
        },
    )


def _taken(name: str, reading: Reading, one: SubscriberFigures) -> dict[str, Any]:
    return {"topic": name, **topic_parts.subscriber(reading, one)}


def _given(name: str, reading: Reading) -> dict[str, Any]:
    return {
        "topic": name,
        "rate": topic_words.rate(reading.rate or 0),
        "records": marks.number(reading.figures.records),
        "subscribers": marks.number(reading.figures.subscribers),
    }
