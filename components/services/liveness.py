"""Judging who is gone: by the lease of the process that held them, and by the grace."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project import database
from aegis_project.prepared import Prepared
from components.core.beats import Sign
from components.core.events import ComponentEvent
from components.core.lifecycle import CONNECTED, State
from components.models import Component
from components.services import standing

STATES = [state.value for state in CONNECTED]
UNREADY = [State.LOST.value, State.REGISTERED.value]


def beat(*, lease_id: UUID, component_ids: list[str]) -> None:
    """
    Note in one update that these components of this process were heard lately.

    Those that somebody moves meanwhile are left to the next beat: whoever waited for them here,
    holding the others, could be waited for by one who locks them in the order of locks.
    """
    if component_ids:
        with database.atomic():
            heard = Component.objects.filter(lease_id=lease_id, pk__in=component_ids)
            free = heard.select_for_update(of=("self",), no_key=True, skip_locked=True)
            now = timezone.now()
            Component.objects.filter(pk__in=free.values("pk")).update(
                last_heartbeat_at=now, beats=standing.marked(Sign.HEARD, now)
            )


def lose_orphans(*, own: UUID | None = None) -> int:
    """
    Lose the connected components whose process renews no lease any more.

    Returns how many. A process does this only after it settled, so that components can come
    back to a server that was restarted. Those under its ``own`` lease, which it may renew late,
    it hears itself.
    """
    return sum(
        standing.lose(component_id=str(pk), fence=fence, reason="its server is gone")
        for pk, fence in _orphans(now=timezone.now(), own=own)
    )


@Prepared
def _orphans(now: datetime, own: UUID | None) -> QuerySet[Any, Any]:
    is_gone = Q(lease=None) | Q(lease__expires_at__lt=now)
    orphans = Component.objects.filter(is_gone, state__in=STATES)
    if own is not None:
        orphans = orphans.exclude(lease=own)
    return orphans.values_list("pk", "fence")


def fail_overdue(*, grace_seconds: float) -> int:
    """
    Fail the lost components that were not ready again within the grace; returns how many.

    One whose token was revoked has nothing to come back with, and is failed as soon as it is lost;
    a program that a launcher runs gets another token with its next process.
    """
    limit = timezone.now() - timedelta(seconds=grace_seconds)
    return sum(_fail(str(pk), limit) for (pk,) in _overdue(limit=limit))


@Prepared
def _overdue(limit: datetime) -> QuerySet[Any, Any]:
    is_late = Q(state__in=UNREADY, lost_at__lt=limit)
    is_barred = Q(state=State.LOST.value, token__revoked_at__isnull=False, launch=None)
    return Component.objects.filter(is_late | is_barred).values_list("pk")


def _fail(component_id: str, limit: datetime) -> bool:
    with database.atomic():
        component = Component.objects.locked(component_id)
        # It may have come back and gone again since the rows were read.
        lost_at, is_barred = component.lost_at, _is_barred(component)
        if component.state not in UNREADY or lost_at is None:
            return False
        if lost_at >= limit and not is_barred:
            return False
        component.follow("fail")
        component.save(update_fields=["state", "updated_at"])
        standing.tell(
            ComponentEvent.FAILED,
            component,
            actor=standing.LIVENESS,
            code="LOST",
            message="Its token was revoked." if is_barred else "It did not come back in time.",
            reason=component.error,
        )
    return True


def _is_barred(component: Component) -> bool:
    is_revoked = component.token is not None and component.token.revoked_at is not None
    return is_revoked and component.state == State.LOST and not hasattr(component, "launch")
