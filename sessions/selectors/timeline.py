"""A session's ledger as its timeline pages it: newest first, under one of the quick filters."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from sessions.core import lanes
from streaming.models import Event, Log
from streaming.models.log import ERRORS, LEDGER

PAGE = 100
RARE = ("errors", "people")
# What agents do and ask for; what becomes of those that publish and receive, and of their clock.
AGENTS = ("run.", "stream.", "message.", "tool_call.", "approval.", "policy.")
OF_COMPONENTS = ("component.", "heartbeat.")
DATA = (*OF_COMPONENTS, "session.repositioned")
LOOKED_THROUGH = 300


def of_session(session_id: UUID | str, *, show: str = "all") -> QuerySet[Event]:
    """The events of a ledger under one of the quick filters."""
    rows = Event.objects.filter(
        log__session_id=session_id, log__name=LEDGER, seq__gte=F("log__start")
    )
    match show:
        case "errors":
            return rows.filter(Q(type__in=ERRORS) | Q(type__startswith="heartbeat."))
        case "people":
            return rows.filter(actor__startswith="user:")
        case "agents":
            return rows.filter(_of(AGENTS)).exclude(
                type__startswith="message.", actor__startswith="user:"
            )
        case "data":
            return rows.filter(_of(DATA))
    return rows


def _of(beginnings: Iterable[str]) -> Q:
    wanted = Q()
    for beginning in beginnings:
        wanted |= Q(type__startswith=beginning)
    return wanted


def counts(session_id: UUID, *, after: int = 0, up_to: int) -> dict[str, int]:
    """How many events between two positions there are under the filters of what is rare."""
    return {
        show: of_session(session_id, show=show).filter(seq__gt=after, seq__lte=up_to).count()
        for show in RARE
    }


def body(event: Event) -> dict[str, Any]:
    """What every reader of the event gets, decoded."""
    decoded = json.loads(event.body)
    return decoded if isinstance(decoded, dict) else {}


def data(event: Event) -> dict[str, Any]:
    """What an event says of what happened."""
    found = body(event).get("data")
    return found if isinstance(found, dict) else {}


def start(session_id: UUID) -> int:
    """The seq of the first event of a session that is kept."""
    return Log.objects.ledger_of(session_id).values_list("start", flat=True).get()


def newest(session_id: UUID, *, show: str, before: int | None = None) -> tuple[list[Event], bool]:
    """The newest events, or the newest of those before a position, and whether more follow."""
    rows = of_session(session_id, show=show)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    found = list(rows.order_by("-seq")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def news(session_id: UUID, *, show: str, after: int, head: int) -> list[Event]:
    """The newest events of those after a position and up to ``head``, newest first."""
    rows = of_session(session_id, show=show).filter(seq__gt=after, seq__lte=head)
    return list(rows.order_by("-seq")[:PAGE])


def of_component(session_id: UUID, component_id: UUID, *, limit: int) -> list[Event]:
    """The newest events that tell of a component, the newest first, among the last so many."""
    rows = of_session(session_id).filter(_of(OF_COMPONENTS)).order_by("-seq")[:LOOKED_THROUGH]
    own = str(component_id)
    return [row for row in rows if data(row).get("component_id") == own][:limit]


def at(session_id: UUID, seq: int) -> Event | None:
    """The event at a position, with its log."""
    return of_session(session_id).filter(seq=seq).select_related("log").first()


def up_to(session_id: UUID, seq: int, *, limit: int) -> list[Event]:
    """The last events before a position and the one at it, newest first."""
    rows = of_session(session_id).filter(seq__lte=seq)
    return list(rows.order_by("-seq")[:limit])


def drawn(
    session_id: UUID,
    *,
    after: int = 0,
    before: int | None = None,
    until: datetime | None = None,
    limit: int,
) -> list[Event]:
    """The newest events between two positions and up to a moment that lanes draw, oldest first."""
    rows = _drawable(session_id).filter(seq__gt=after)
    rows = rows if before is None else rows.filter(seq__lt=before)
    rows = rows if until is None else rows.filter(ts__lte=until)
    return list(rows.order_by("-seq")[:limit])[::-1]


def count_drawn(session_id: UUID) -> int:
    """How many events of a ledger lanes draw."""
    return _drawable(session_id).count()


def page_behind(session_id: UUID, seq: int, *, limit: int) -> int | None:
    """The position that so many events behind another one lie before; None with no more of them."""
    rows = _drawable(session_id).filter(seq__gt=seq).order_by("seq")
    return rows.values_list("seq", flat=True)[limit : limit + 1].first()


def state_before(session_id: UUID, seq: int) -> Event | None:
    """The last event before a position that a session's state comes from."""
    rows = of_session(session_id).filter(seq__lt=seq, type__in=lanes.STATES)
    return rows.order_by("-seq").first()


def _drawable(session_id: UUID) -> QuerySet[Event]:
    return of_session(session_id).filter(_of(lanes.DRAWN))
