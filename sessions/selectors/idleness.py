"""Sessions in which nobody has done anything for as long as they allow."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from components.core.lifecycle import CONNECTED
from components.models import Component
from sessions.core.lifecycle import Mode, State
from sessions.models import Run, Session
from sessions.selectors import sessions


def over(*, now: datetime) -> list[UUID]:
    """
    The open sessions to end because nobody uses them.

    Who takes part uses a session, whatever it does: a connected component, an open run, a pending
    start, a replay that goes on.
    """
    return [row.pk for row in _unused(now) if _is_over(row, now=now)]


def stale(*, now: datetime) -> list[UUID]:
    """The open sessions in which there was no work for longer than they allow, used or not."""
    rows = Session.objects.open().filter(_may_be_idle(now)).only("config", "last_activity_at")
    return [row.pk for row in rows if _is_over(row, now=now)]


def is_over(session_id: UUID, *, now: datetime) -> bool:
    """Whether a session is still one of those."""
    return any(_is_over(row, now=now) for row in _unused(now).filter(pk=session_id))


def _is_over(row: Session, *, now: datetime) -> bool:
    limit = sessions.idle_limit(row)
    return limit is not None and now - row.last_activity_at > limit


def _unused(now: datetime) -> QuerySet[Session]:
    connected = Component.objects.filter(session=OuterRef("pk"), state__in=list(CONNECTED))
    runs = Run.objects.open().filter(session=OuterRef("pk"))
    replays = Q(mode=Mode.HISTORICAL.value, state=State.RUNNING.value)
    rows = Session.objects.open().filter(_may_be_idle(now), start_requested_at=None)
    rows = rows.exclude(replays).exclude(Exists(connected)).exclude(Exists(runs))
    return rows.only("config", "last_activity_at")


def _may_be_idle(now: datetime) -> Q:
    """Those that say themselves how long, and those that the setting is for."""
    found = Q(config__has_key="idle_minutes")
    minutes = settings.ENVIRONMENT.session_idle_minutes
    if minutes:
        found |= Q(last_activity_at__lt=now - timedelta(minutes=minutes))
    return found
