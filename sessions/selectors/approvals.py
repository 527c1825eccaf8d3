"""Reading approvals: what waits for people, and how it was decided."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.core import approvals, keys
from sessions.core.errors import ApprovalNotFound
from sessions.models import Approval, Session
from sessions.selectors import sessions

PENDING = approvals.State.PENDING.value
DECIDED = [approvals.State.APPROVED.value, approvals.State.REJECTED.value]
PRECEDENTS, DUE_AT_ONCE = 5, 1000
MOST_COUNTED, NEWEST = 100, 50


def visible(principal: Principal) -> QuerySet[Approval]:
    """The approvals of the sessions that exist for the principal, with what is shown of them."""
    rows = Approval.objects.filter(session__deleted_at=None)
    teams, bound = sessions.reach(principal)
    if bound is not None:
        rows = rows.filter(session=bound)
    if teams is not None:
        rows = rows.filter(session__team__in=teams)
    return rows.select_related("tool_call", "run", "session")


def readable(principal: Principal) -> QuerySet[Approval]:
    """
    The approvals that the principal sees and may read.

    :raises PermissionDenied: without the scope approvals:read
    """
    principal.require("approvals:read")
    return visible(principal)


def find(principal: Principal, reference: Approval | UUID | str) -> Approval:
    """
    The approval by id, as far as the principal sees it.

    :raises ApprovalNotFound: if there is none, also when it is out of sight
    """
    name = str(reference.pk if isinstance(reference, Approval) else reference)
    uuid = keys.as_uuid(name)
    row = visible(principal).filter(pk=uuid).first() if uuid else None
    if row is None:
        raise ApprovalNotFound(approval=name[:64])
    return row


def read(principal: Principal, reference: UUID | str) -> Approval:
    """
    One approval.

    :raises PermissionDenied: without the scope approvals:read
    :raises ApprovalNotFound: if it is not there for the principal
    """
    principal.require("approvals:read")
    return find(principal, reference)


def of_session(session: Session) -> QuerySet[Approval]:
    """The approvals of a session, the most urgent first."""
    rows = Approval.objects.filter(session=session).select_related("tool_call", "run", "session")
    return rows.order_by("expires_at", "pk")


def expiring(rows: QuerySet[Approval], *, seconds: float) -> QuerySet[Approval]:
    """Those that are still to be decided, and only so long."""
    until = timezone.now() + timedelta(seconds=seconds)
    return rows.filter(state=PENDING, clock_stopped_at=None, expires_at__lte=until)


def due() -> list[UUID]:
    """The approvals whose time is over and that nobody has decided, the longest overdue first."""
    return [pk for (pk,) in _due(now=timezone.now())]


@Prepared
def _due(now: datetime) -> QuerySet[Approval, tuple[UUID]]:
    rows = Approval.objects.filter(state=PENDING, clock_stopped_at=None, expires_at__lte=now)
    return rows.order_by("expires_at").values_list("pk")[:DUE_AT_ONCE]


def precedents(approval: Approval) -> list[Approval]:
    """The last decisions on the same tool of the same agent in the same team, the newest first."""
    rows = Approval.objects.filter(
        ~Q(state__in=[PENDING, approvals.State.CANCELLED.value]),
        tool_call__tool=approval.tool_call.tool,
        run__agent_slug=approval.run.agent_slug,
        session__team=approval.session.team_id,
        session__deleted_at=None,
    )
    return list(rows.select_related("tool_call").order_by("-decided_at")[:PRECEDENTS])


def waiting(principal: Principal) -> int:
    """How many decisions wait in what the principal sees; beyond a hundred nobody counts."""
    return len(visible(principal).filter(state=PENDING).values_list("pk")[:MOST_COUNTED])


def last_decided(principal: Principal) -> Approval | None:
    """What somebody decided last, of the fifty that were asked for last: those have an index."""
    rows = visible(principal).order_by("-requested_at", "-pk")[:NEWEST]
    decided = [row for row in rows if row.state in DECIDED and row.decided_at]
    return max(decided, key=lambda row: row.decided_at or row.requested_at, default=None)


def pending_count() -> int:
    """How many decisions wait, in all sessions."""
    return Approval.objects.filter(state=PENDING, session__deleted_at=None).count()
