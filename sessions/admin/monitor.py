"""What the monitor shows at a moment: rows of topics, what is odd, and who could not be asked."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project.kit.errors import ServiceUnavailable
from aegis_project.kit.principal import Principal
from sessions.admin import topic_cells, topic_words
from sessions.admin.topic_words import Seen
from sessions.core.lifecycle import State
from sessions.selectors import monitor
from sessions.selectors.monitor import Name
from streaming import node
from streaming.hub.watch import Odd, Reading
from streaming.models import Log

VIEWS = {
    "open": "All open",
    "silent": "Silent",
    "behind": "Behind",
    "dropping": "Dropping",
    "closed": "Closed",
}
ODD = frozenset({"silent", "behind", "dropping"})
Readings = Mapping[Name, Reading]


@dataclass(frozen=True, slots=True)
class Glance:
    """What the processes know: readings of some topics, the odd ones of all, silent processes."""

    readings: Readings
    odd: Odd
    missing: int = 0
    is_served: bool = True


NOTHING = Glance({}, Odd(set(), set(), set()), is_served=False)


def glance(keys: Iterable[Name]) -> Glance:
    """Ask the hub of this process for these topics and for all odd ones; only from its own loop."""
    hub = node.required().hub
    at, odd = asyncio.get_running_loop().time(), hub.watch.odd(hub)
    wanted = {*keys, *odd.silent, *odd.behind, *odd.dropping}
    return Glance(hub.watch.of(hub, wanted, at=at), odd, hub.watch.missing)


def glance_from_thread(keys: Iterable[Name]) -> Glance:
    """Ask the hub of this process from a request's thread; nothing where no server runs."""
    here = node.current()
    if here is None:
        return NOTHING
    wanted = list(keys)

    async def ask() -> Glance:
        return glance(wanted)

    try:
        return here.call(ask())
    except ServiceUnavailable:
        return NOTHING


def seen(rows: Iterable[Log], readings: Readings) -> list[Seen]:
    """Rows with their readings, and the names of whom these name; one query at most."""
    found = [(row, readings.get((str(row.session_id), row.name))) for row in rows]
    ids = set().union(*(topic_words.parties(reading) for _, reading in found))
    names = monitor.component_names(ids) if ids else {}
    return [Seen(row, reading, names) for row, reading in found]


@dataclass(frozen=True, slots=True)
class Oddities:
    """The odd topics that the principal sees, by why."""

    silent: list[Seen]
    behind: list[Seen]
    dropping: list[Seen]

    def names(self, view: str) -> frozenset[Name]:
        """The topics of one view."""
        return frozenset(one.key for one in getattr(self, view))


def oddities(principal: Principal, current: Glance) -> Oddities:
    """Which of the odd topics are in view; silent are only those of sessions that run."""
    odd, readings = current.odd, current.readings
    found = seen(monitor.named(principal, odd.silent | odd.behind | odd.dropping), readings)
    return Oddities(
        silent=[
            one for one in found if one.key in odd.silent and one.session.state == State.RUNNING
        ],
        behind=[one for one in found if one.key in odd.behind],
        dropping=[one for one in found if one.key in odd.dropping],
    )


def parts(
    found: Oddities, current: Glance, *, view: str, query: Mapping[str, Any]
) -> dict[str, str]:
    """The pieces around the table: its views with their counts, the worst sentence, who is missing."""
    now = timezone.now()
    kept = {name: value for name, value in query.items() if name in {"q", "session"} and value}
    views = [
        {
            "title": title,
            "is_current": word == view,
            "count": len(getattr(found, word, [])) if word not in {"open", "closed"} else None,
            "address": f"?{urlencode(kept | ({'view': word} if word != 'open' else {}))}",
        }
        for word, title in VIEWS.items()
    ]
    return {
        "views": render_to_string("admin/aegis/topics/views.html", {"views": views}),
        "strip": render_to_string(
            "admin/aegis/topics/strip.html", _worst(found, now) | {"glance": current}
        ),
    }


def _worst(found: Oddities, now: datetime) -> dict[str, Any]:
    sentences = [(topic_words.silence(one, now), one) for one in found.silent]
    sentences += [(topic_words.backlog(one), one) for one in found.behind]
    told = [(text, topic_cells.address(one)) for text, one in sentences if text]
    return {"worst": told[0] if told else None, "more": max(len(told) - 1, 0)}


def table(rows: list[Seen], *, now: datetime) -> list[dict[str, Any]]:
    """The rows of the table for its first paint."""
    return [
        {
            "pk": one.log.pk,
            "topic": one.log.name,
            "session": one.log.session_id,
            "cells": [
                {"column": column, "html": column.cell(one, now)} for column in topic_cells.COLUMNS
            ],
        }
        for one in rows
    ]
