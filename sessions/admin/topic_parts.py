"""The parts of a topic's own page, for its first paint and for every later one."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project import marks
from aegis_project.kit.errors import ServiceUnavailable
from aegis_project.kit.principal import Principal
from sessions.admin import topic_cells, topic_words
from sessions.admin.events import pretty
from sessions.admin.topic_words import Seen
from sessions.selectors import monitor as monitor_rows
from sessions.selectors import sessions
from streaming import node
from streaming.core import shapes, topics
from streaming.core.errors import TopicNotFound
from streaming.core.shapes import Shape
from streaming.hub.figures import SubscriberFigures
from streaming.hub.watch import Reading
from streaming.models import Log
from streaming.selectors import logs

# So many of the last records are looked at for their shapes.
LAST = 200


@dataclass(frozen=True, slots=True)
class Look:
    """What the hub knows of a topic: its reading, its last shapes, and silent processes."""

    reading: Reading | None = None
    shapes: tuple[Shape, ...] = ()
    missing: int = 0
    is_served: bool = True


async def look(session_id: UUID, topic: str) -> Look:
    """Ask the hub of this process; only from its own loop."""
    hub, key = node.required().hub, (str(session_id), topic)
    at = asyncio.get_running_loop().time()
    reading = hub.watch.of(hub, [key], at=at).get(key)
    try:
        start, end = await hub.bounds(key)
        after = max(end.seq - LAST, start - 1)
        cut = await hub.read(key, after, LAST) if end.seq > after else None
    except TopicNotFound:
        cut = None
    records = enumerate(map(msgspec.json.decode, cut.data), cut.first) if cut else ()
    return Look(reading, tuple(shapes.latest(records)), hub.watch.missing)


def look_from_thread(session_id: UUID, topic: str) -> Look:
    """Ask the hub of this process from a request's thread; nothing where no server runs."""
    here = node.current()
    if here is None:
        return Look(is_served=False)
    try:
        return here.call(look(session_id, topic))
    except ServiceUnavailable:
        return Look(is_served=False)


def load(principal: Principal, session_id: UUID, topic: str, found: Look) -> Seen:
    """
    A topic with what is known of it.

    :raises PermissionDenied: without the scope topics:read
    :raises SessionNotFound: if the session is not there for the principal
    :raises TopicNotFound: if there is no such topic, or it is the ledger or a run
    """
    logs.check_readable(principal, topic)
    session = sessions.find(principal, session_id)
    log = logs.named(session.pk, topic)
    if topics.is_row(topic) or (log is None and found.reading is None):
        raise TopicNotFound(topic=topic)
    log = log or Log(name=topic)
    log.session = session
    ids = topic_words.parties(found.reading)
    return Seen(log, found.reading, monitor_rows.component_names(ids) if ids else {})


def render(seen: Seen, found: Look) -> dict[str, str]:
    """The parts by the name of their element."""
    now = timezone.now()
    shared = {"seen": seen, "session": seen.session, "now": now, "look": found}
    state = marks.chip(seen.session.state, marks.SESSION, since=None, now=now)
    given: dict[str, dict[str, Any]] = {
        "head": {"facts": facts(seen, now), "state": state},
        "strip": {"sentences": sentences(seen, now)},
        "said": {"rate": said_rate(seen), "lag": said_lag(seen)},
        "subscribers": {"rows": subscribers(seen)},
        "shapes": {"shapes": found.shapes},
    }
    return {
        name: render_to_string(f"admin/aegis/topic/{name}.html", shared | context)
        for name, context in given.items()
    }


def facts(seen: Seen, now: datetime) -> list[tuple[str, Any]]:
    """What there is to know of a topic, as pairs."""
    place = seen.place
    cells = topic_cells.row(seen, now=now)
    pairs = [
        ("Publisher", "publisher"),
        ("Rate", "rate"),
        ("Bytes/s", "bytes"),
        ("Last record", "last"),
        ("Subscribers", "subscribers"),
        ("Drops", "drops"),
        ("Overflow", "policy"),
        ("Tape", "recorded"),
        ("Schema", "schema"),
    ]
    position = f"{marks.number(place.head)}, kept from {marks.number(place.start)}"
    return [*((title, cells[name]) for title, name in pairs), ("Position", position)]


def sentences(seen: Seen, now: datetime) -> list[str]:
    """What is odd about the topic."""
    return [text for text in (topic_words.silence(seen, now), topic_words.backlog(seen)) if text]


def subscribers(seen: Seen) -> list[dict[str, Any]]:
    """The subscribers, the most backward first."""
    reading = seen.reading
    if reading is None:
        return []
    return [
        {"name": seen.name(one.component_id), "id": one.component_id, **subscriber(reading, one)}
        for one in reading.subscribers
    ]


def subscriber(reading: Reading, one: SubscriberFigures) -> dict[str, Any]:
    """What a row says of a subscriber: how far behind it is, what it lost and what it does."""
    return {
        "figures": one,
        "age": _age(reading, one.lag),
        "unsent": _unsent(one.unsent, is_stuck=one.is_stuck),
        "doing": _doing(is_open=one.is_open, is_paused=one.is_paused),
        "lag": marks.figure(marks.number(one.lag)),
        "gaps": marks.figure(marks.number(one.gaps)),
        "dropped": marks.figure(marks.number(one.dropped)),
    }


def _age(reading: Reading, lag: int) -> Any:
    if not lag:
        return marks.none("0")
    return topic_cells.age(reading.age(lag), span=reading.step * len(reading.rates))


def _unsent(count: int | None, *, is_stuck: bool) -> Any:
    if count is None:
        return "held back" if is_stuck else marks.none("0")
    return topic_words.size(count) if count else marks.none("0")


def _doing(*, is_open: bool, is_paused: bool) -> str:
    if not is_open:
        return "gate closed"
    return "paused by itself" if is_paused else "receiving"


def said_rate(seen: Seen) -> str:
    """The rate chart in one sentence."""
    rates = seen.reading.rates if seen.reading else []
    if not rates or seen.reading is None:
        return "No rate is known yet."
    low, high = marks.rate(min(rates)), marks.rate(max(rates))
    span = marks.duration(seen.reading.step * len(rates))
    return f"Between {low} and {high} records per second in the last {span}."


def said_lag(seen: Seen) -> str:
    """The lag chart in one sentence."""
    lags = seen.reading.lags if seen.reading else []
    if not lags or seen.reading is None:
        return "No lag is known yet."
    span = marks.duration(seen.reading.step * len(lags))
    if not max(lags):
        return f"Nobody fell behind in the last {span}."
    return f"At most {marks.number(max(lags))} records behind in the last {span}."


def series(reading: Reading | None) -> dict[str, Any]:
    """The points of the charts; the last one was at ``now``, in unix seconds."""
    if reading is None:
        return {"rates": [], "lags": [], "step": 0, "now": 0}
    return {
        "rates": [round(rate, 2) for rate in reading.rates],
        "lags": list(reading.lags),
        "step": reading.step,
        "now": round(timezone.now().timestamp(), 1),
    }


def schema(seen: Seen) -> str:
    """The JSON Schema that records must keep, to read; empty without one."""
    return pretty(seen.rule.schema) if seen.rule.schema is not None else ""
