"""What operators ask first of all sessions in view: what waits, is broken, runs, just happened."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from aegis_project.kit.principal import Principal
from components import selectors as components
from components.core.lifecycle import State as ComponentState
from components.models import Component
from sessions.core.lifecycle import State
from sessions.core.runs import State as Runs
from sessions.models import Run, Session
from sessions.selectors import approvals, sessions
from streaming.models import Event
from streaming.models.log import ERRORS, LEDGER

MOST = 8
MOST_RUNNING = 500
NEWEST = 20
# Among so many of the newest events of all ledgers are those in view looked for.
WINDOW = 20_000
GONE = (ComponentState.LOST.value, ComponentState.FAILED.value)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def failed(principal: Principal) -> list[Session]:
    """The sessions that failed and are still open, the last one first."""
    rows = sessions.visible(principal).filter(state=State.FAILED.value)
    return list(rows.order_by("-state_changed_at")[:MOST])


def gone(principal: Principal) -> list[Component]:
    """The components that are missing in sessions that run, the last one first."""
    rows = components.visible(principal).filter(
        state__in=GONE, session__state=State.RUNNING.value, session__deleted_at=None
    )
    return list(rows.select_related("session", "lease").order_by("-updated_at")[:MOST])


def running(principal: Principal) -> list[Session]:
    """The sessions that run, those in which there was work last first; 500 at most."""
    rows = sessions.visible(principal).filter(state=State.RUNNING.value)
    return list(rows.order_by("-last_activity_at", "pk")[:MOST_RUNNING])


def has_any(principal: Principal) -> bool:
    """Whether there is a session in view at all."""
    return sessions.visible(principal).exists()


def tokens(session_ids: Collection[UUID], *, now: datetime) -> dict[UUID, int]:
    """What the runs of sessions used that ended within the last minute or are at work, in tokens."""
    begun = Q(state=Runs.WORKING.value) | Q(ended_at__gte=now - MINUTE)
    # No run works longer than a day without being taken over: what is older need not be read.
    rows = Run.objects.filter(begun, session__in=session_ids, created_at__gte=now - DAY)
    return dict(rows.order_by().values_list("session").annotate(Sum("token_count")))


def happened(principal: Principal) -> list[Event]:
    """The newest events of all ledgers in view, with their sessions."""
    rows = _newest_events(principal).select_related("log__session")
    return list(rows.order_by("-pk")[:NEWEST])


class Pulse(NamedTuple):
    """
    Moments of events in the last ten minutes and of errors in the last hour, the oldest first.

    ``has_hour`` tells whether what was looked through reaches back an hour.
    """

    events: list[datetime]
    errors: list[datetime]
    has_hour: bool


def pulse(principal: Principal, *, now: datetime) -> Pulse:
    """When something happened, as far as the newest 20,000 events of the installation tell."""
    rows = _newest_events(principal).order_by("pk")
    events = rows.filter(ts__gte=now - 10 * MINUTE).values_list("ts", flat=True)
    errors = rows.filter(type__in=ERRORS, ts__gte=now - HOUR).values_list("ts", flat=True)
    horizon = _horizon()
    before = Event.objects.filter(pk__lte=horizon).order_by("-pk").values_list("ts", flat=True)
    last = before.first() if horizon > 0 else None
    return Pulse(list(events), list(errors), has_hour=last is None or last <= now - HOUR)


def decided(principal: Principal, *, since: datetime, until: datetime) -> list[datetime]:
    """When people decided, the oldest first."""
    rows = approvals.visible(principal).filter(
        state__in=approvals.DECIDED, decided_at__gte=since, decided_at__lt=until
    )
    return [at for (at,) in rows.order_by("decided_at").values_list("decided_at") if at]


def _newest_events(principal: Principal) -> QuerySet[Event]:
    rows = Event.objects.filter(pk__gt=_horizon(), log__name=LEDGER)
    if principal.teams is None and not principal.session_id:
        return rows.filter(log__session__deleted_at=None)
    return rows.filter(log__session__in=sessions.visible(principal))


def _horizon() -> int:
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) - WINDOW
