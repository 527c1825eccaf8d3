"""The clocks of approvals: they run on, unless their rule lets them stand while nothing runs."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from sessions.core import approvals
from sessions.models import Approval

PENDING = approvals.State.PENDING.value


def stand(session_id: UUID, *, at: datetime) -> None:
    """The session is paused: clocks that stop for that stand from now on."""
    rows = Approval.objects.filter(session=session_id, state=PENDING, stops_clock=True)
    rows.filter(clock_stopped_at=None).update(clock_stopped_at=at, version=F("version") + 1)


def go_on(session_id: UUID, *, at: datetime) -> None:
    """The session runs again: what was left when its clocks stood is left now."""
    rows = Approval.objects.filter(session=session_id, state=PENDING)
    for row in rows.exclude(clock_stopped_at=None).select_for_update(of=("self",), no_key=True):
        stood: timedelta = at - (row.clock_stopped_at or at)
        row.expires_at += stood
        row.clock_stopped_at = None
        row.version += 1
        row.save(update_fields=["expires_at", "clock_stopped_at", "version"])
