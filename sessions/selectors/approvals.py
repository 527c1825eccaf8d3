"""Reading approvals: what waits for people, and how it was decided."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components.core import scopes
from components.core.lifecycle import Role
from components.core.lifecycle import State as ComponentState
from components.models import Component
from sessions.core import approvals, keys, periods
from sessions.core.errors import ApprovalNotFound
from sessions.models import Approval, Session
from sessions.selectors import sessions

PENDING = approvals.State.PENDING.value
DECIDED = [approvals.State.APPROVED.value, approvals.State.REJECTED.value]
GONE = [ComponentState.LOST.value, ComponentState.FAILED.value, ComponentState.STOPPED.value]
PRECEDENTS, DUE_AT_ONCE = 5, 1000
MOST_COUNTED, NEWEST = 100, 50
ROLE = "role:"
"""How the name of somebody begins who is whoever has a role."""
DECIDES = "aegis_sessions.decide_approval"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class Tally(NamedTuple):
    """How many decisions wait with somebody, with anybody, and how many were made today."""

    mine: int
    team: int
    today: int


def visible(principal: Principal) -> QuerySet[Approval]:
    """The approvals of the sessions that exist for the principal, with what is shown of them."""
    rows = Approval.objects.filter(session__deleted_at=None)
    teams, bound = sessions.reach(principal)
    if bound is not None:
        rows = rows.filter(session=bound)
    if teams is not None:
        rows = rows.filter(session__team__in=teams)
    return rows.select_related("tool_call", "run", "session")


def may_read(principal: Principal) -> bool:
    """Whether somebody sees approvals: the right to decide is a right to see what it is about."""
    return principal.allows("approvals:read") or principal.allows("approvals:decide")


def require(principal: Principal) -> None:
    """
    Go on only for who may read approvals.

    :raises PermissionDenied: for whoever may neither read approvals nor decide
    """
    if not may_read(principal):
        principal.require("approvals:read")


def readable(principal: Principal) -> QuerySet[Approval]:
    """
    The approvals that the principal sees and may read.

    :raises PermissionDenied: for whoever may neither read approvals nor decide
    """
    require(principal)
    return visible(principal)


def names(principal: Principal) -> list[str]:
    """Under which names approvals are with somebody: their own, and each of their roles."""
    return [principal.actor, *(f"{ROLE}{one}" for one in scopes.roles(principal.scopes))]


def receivers(approval: Approval, principal: Principal) -> list[str]:
    """The others of its team who have the right to decide, by name; a hundred at most."""
    rows = User.objects.with_perm(DECIDES, backend=BACKEND)
    rows = rows.filter(Q(is_superuser=True) | Q(groups=approval.session.team_id)).distinct()
    others = rows.exclude(pk=principal.user_id or 0).order_by("username")
    return list(others.values_list("username", flat=True)[:MOST_COUNTED])


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


def several(principal: Principal, references: Sequence[UUID | str]) -> list[Approval]:
    """Those of the approvals that the principal sees, the most urgent first."""
    names = (keys.as_uuid(str(one)) for one in references)
    rows = visible(principal).filter(pk__in=[one for one in names if one])
    return list(rows.select_related("run__agent").order_by("expires_at", "pk"))


def waited_for(run_ids: Collection[UUID], *, apart_from: Sequence[UUID]) -> set[UUID]:
    """Those of the runs that wait for other decisions than these, too."""
    rows = Approval.objects.filter(run__in=run_ids, state=PENDING).exclude(pk__in=apart_from)
    return set(rows.values_list("run", flat=True))


def read(principal: Principal, reference: UUID | str) -> Approval:
    """
    One approval.

    :raises PermissionDenied: for whoever may neither read approvals nor decide
    :raises ApprovalNotFound: if it is not there for the principal
    """
    require(principal)
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


def with_them(rows: QuerySet[Approval], principal: Principal) -> QuerySet[Approval]:
    """Those that wait and are with the principal, or with one of their roles."""
    return rows.filter(state=PENDING, claimed_by__in=names(principal))


def decided_today(rows: QuerySet[Approval], *, now: datetime) -> QuerySet[Approval]:
    """Those that somebody decided since midnight, UTC."""
    return rows.filter(state__in=DECIDED, decided_at__gte=periods.midnight(now))


def tally(principal: Principal, *, now: datetime) -> Tally:
    """What the inbox counts; beyond a hundred nobody does."""
    rows = visible(principal)
    mine, today = with_them(rows, principal), decided_today(rows, now=now)
    counted = [len(one.values_list("pk")[:MOST_COUNTED]) for one in (mine, today)]
    return Tally(counted[0], waiting(principal), counted[1])


def waiting_in(session: Session) -> int:
    """How many decisions wait in a session; beyond a hundred nobody counts."""
    rows = Approval.objects.filter(session=session, state=PENDING)
    return len(rows.values_list("pk")[:MOST_COUNTED])


def soonest(principal: Principal, *, limit: int) -> list[Approval]:
    """Those that wait, whose deadline is next first."""
    rows = visible(principal).filter(state=PENDING)
    return list(rows.order_by("expires_at", "pk")[:limit])


def is_requester_gone(approval: Approval) -> bool:
    """Whether the agent that asked is out of use, or no longer takes part in the session."""
    run = approval.run
    if run.agent is None or not run.agent.is_active:
        return True
    participant = Component.objects.filter(
        session=approval.session_id, role=Role.AGENT.value, name=run.agent_slug
    )
    return participant.filter(state__in=GONE).exists()


def asked_again(approval: Approval) -> Approval | None:
    """The newest approval that took the place of one which had moved on."""
    return approval.replaced_by.order_by("-requested_at").first()


def last_decided(principal: Principal) -> Approval | None:
    """What somebody decided last, of the fifty that were asked for last: those have an index."""
    rows = visible(principal).order_by("-requested_at", "-pk")[:NEWEST]
    decided = [row for row in rows if row.state in DECIDED and row.decided_at]
    return max(decided, key=lambda row: row.decided_at or row.requested_at, default=None)


def pending_count() -> int:
    """How many decisions wait, in all sessions."""
    return Approval.objects.filter(state=PENDING, session__deleted_at=None).count()
