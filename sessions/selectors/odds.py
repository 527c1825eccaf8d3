"""What lists say of each session beside its state: decisions that wait, and errors of a day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count

from aegis_project.kit.principal import Principal
from sessions.core.approvals import State
from sessions.models import Approval
from sessions.selectors import approvals
from streaming.models import Event
from streaming.models.log import LEDGER

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Odds:
    """Of one session; None is what whoever asks may not know."""

    waiting: int | None
    errors: int | None


def of(principal: Principal, session_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Odds]:
    """Of each of these sessions, in two queries for all of them."""
    asks = waiting(principal, session_ids)
    faults = _errors(session_ids, now - DAY) if principal.allows("events:read") else None
    return {
        pk: Odds(
            waiting=None if asks is None else asks.get(pk, 0),
            errors=None if faults is None else faults.get(pk, 0),
        )
        for pk in session_ids
    }


def waiting(principal: Principal, session_ids: Collection[UUID]) -> dict[UUID, int] | None:
    """How many decisions wait in those of these sessions in which one does; None as above."""
    if not approvals.may_read(principal):
        return None
    rows = Approval.objects.filter(session__in=session_ids, state=State.PENDING.value)
    return dict(rows.order_by().values_list("session_id").annotate(Count("pk")))


def _errors(session_ids: Collection[UUID], since: datetime) -> dict[UUID, int]:
    rows = Event.objects.errors().filter(
        log__session__in=session_ids, log__name=LEDGER, ts__gte=since
    )
    return dict(rows.order_by().values_list("log__session_id").annotate(Count("pk")))
