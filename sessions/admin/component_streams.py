"""What a component takes and gives now: its topics, how far behind it is, what happened to it."""

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from aegis_project import marks
from aegis_project.kit.principal import Principal
from components.admin.flow import Readings
from components.models import Component
from sessions.admin import topic_parts
from sessions.admin.events import in_words
from sessions.selectors import timeline
from streaming.hub.figures import SubscriberFigures
from streaming.hub.watch import Reading
from streaming.selectors import logs

LAST = 12


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
        "rate": marks.rate(reading.rate or 0),
        "records": marks.number(reading.figures.records),
        "subscribers": marks.number(reading.figures.subscribers),
    }
