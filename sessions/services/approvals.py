"""The one decision on a tool call: a person's, or that of its deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.principal import Principal
from sessions.core.approvals import State
from sessions.core.errors import (
    ApprovalRejected,
    ApprovalStale,
    ApprovalTimeout,
)
from sessions.core.events import WorkEvent
from sessions.core.freshness import Known
from sessions.core.policy import Remember
from sessions.models import Approval, Grant, ToolCall
from sessions.selectors import approvals as reading
from sessions.services import asking, deciding, policies, runs, tool_log
from sessions.services.asking import ask
from sessions.services.deciding import Case, Order
from streaming.services.commands import Trace, command

__all__ = ["ask", "claim", "decide", "expire", "expire_due"]

ACTOR = "system:approvals"
Reference = Approval | UUID | str


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, what became of the call, and the rule that it was made into, if any."""

    approval: Approval
    tool_call: ToolCall
    grant: Grant | None = None

    def audit(self) -> Trace:
        row = self.approval
        detail = {"tool": self.tool_call.tool, "state": row.state, "digest": row.digest}
        if row.reason:
            detail["reason"] = row.reason
        if row.edited_arguments is not None:
            detail |= {"asked": self.tool_call.asked_arguments, "edited": row.edited_arguments}
        if self.grant is not None:
            detail["grant"] = str(self.grant.pk)
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


def decide(
    *,
    principal: Principal,
    approval: Reference,
    approved: bool,
    reason: str = "",
    edited_arguments: Mapping[str, Any] | None = None,
    remember: Remember | None = None,
    version: int | None = None,
    evidence: Known | None = None,
) -> Decided:
    """
    Approve or reject a tool call; of several who try at once, and the deadline, one wins.

    ``evidence`` is what is known now of the topics that the decision rests on, ``version`` what
    the caller last saw.

    :raises ApprovalNotFound: if it is not there for the principal
    :raises PermissionDenied: for whoever may not decide this, or on such arguments
    :raises ApprovalAlreadyDecided: if it was decided, expired or cancelled
    :raises PreconditionFailed: if it has moved on since ``version``
    :raises ApprovalTimeout: if its time is over; it expires with that
    :raises ApprovalStale: if it has to be looked at again; ``approval`` is then a new one to decide
    :raises InvalidToolArgs: for edited arguments that are not those of the tool
    :raises ValidationFailed: for a reason, an edit or a rule that cannot be
    """
    order = Order(approved, reason, edited_arguments, remember, version, evidence)
    try:
        return _decide(principal=principal, approval=approval, order=order)
    except ApprovalTimeout:
        expire(reading.find(principal, approval).pk)
        raise
    except ApprovalStale as error:
        again = _ask_again(principal, approval, error, evidence)
        raise error if again is None else again from None


@command("approval.decide", scope="approvals:decide")
def _decide(*, principal: Principal, approval: Reference, order: Order) -> Decided:
    case = deciding.locked(reading.find(principal, approval))
    now = timezone.now()
    arguments = deciding.check(case, order, principal, now=now)
    state = State.APPROVED if order.approved else State.REJECTED
    _settle_row(case, state, principal=principal, order=order, arguments=arguments, now=now)
    _carry_out(case, order, by=principal.actor)
    grant = _remember(case, order, principal)
    runs.settle(case.run.pk, actor=principal.actor)
    return Decided(case.approval, case.tool_call, grant)


def _settle_row(
    case: Case,
    state: State,
    *,
    principal: Principal,
    order: Order,
    arguments: dict[str, Any] | None,
    now: datetime,
) -> None:
    """Decide in one update that no deadline has passed and nobody else was faster."""
    row, call = case.approval, case.tool_call
    open_still = Q(clock_stopped_at__isnull=False) | Q(expires_at__gt=now)
    mine = Approval.objects.filter(open_still, pk=row.pk, state=State.PENDING.value)
    if not mine.update(
        state=state.value,
        decided_by=principal.actor,
        decider=principal.user_id,
        decided_at=now,
        transport=principal.transport[:32],
        reason=order.reason,
        edited_arguments=arguments,
        digest=row.digest if arguments is None else call.digest_of(arguments),
        version=F("version") + 1,
    ):
        raise ApprovalTimeout(expired_at=row.expires_at)
    session, run = row.session, row.run
    row.refresh_from_db()
    row.session, row.run, row.tool_call = session, run, call


def _carry_out(case: Case, order: Order, *, by: str) -> None:
    """Move the call as it was decided, and tell it."""
    row, call = case.approval, case.tool_call
    is_edited = row.edited_arguments is not None
    if is_edited:
        call.arguments, call.digest = row.edited_arguments, row.digest
    if order.approved:
        call.move("approve")
    else:
        call.move("reject")
        call.ended_at = row.decided_at
        call.error = ApprovalRejected(order.reason, by=by).as_dict()
    call.save(update_fields=["state", "arguments", "digest", "error", "ended_at"])
    decided: dict[str, Any] = {"state": row.state, "by": by, "reason": order.reason}
    decided |= {"edited": is_edited, "digest": row.digest}
    asking.tell(row, WorkEvent.APPROVAL_DECIDED, actor=by, **decided)
    if order.approved:
        told = {"by": by, "edited": is_edited}
        tool_log.tell(call, (WorkEvent.TOOL_CALL_APPROVED, told), actor=by)
    else:
        told = {"by": by, "reason": order.reason}
        tool_log.tell(call, (WorkEvent.TOOL_CALL_REJECTED, told), actor=by)
        tool_log.show(case.run, [tool_log.settled(call)])


def _remember(case: Case, order: Order, principal: Principal) -> Grant | None:
    if order.remember is None:
        return None
    verdict = "auto" if order.approved else "deny"
    return policies.remember(
        case.approval, order.remember, verdict=verdict, principal=principal, run=case.run
    )


def _ask_again(
    principal: Principal, approval: Reference, error: ApprovalStale, evidence: Known | None
) -> ApprovalStale | None:
    """Replace an approval whose inputs moved by a new one; the error then names that."""
    if error.details.get("why") != "moved":
        return None
    with database.atomic():
        case = deciding.locked(reading.find(principal, approval))
        if not case.approval.is_open:
            return None
        new = asking.again(case, evidence or {}, by=principal.actor)
    return ApprovalStale(error.message, **error.details | {"approval": str(new.pk)})


@command("approval.claim", scope="approvals:decide")
def claim(*, principal: Principal, approval: Reference, release: bool = False) -> Approval:
    """
    Say that somebody looks at an approval, or no longer does; it binds nobody.

    :raises ApprovalNotFound: if it is not there for the principal
    :raises ApprovalAlreadyDecided: if it was decided
    """
    case = deciding.locked(reading.find(principal, approval))
    row = case.approval
    deciding.check_open(row, None, now=timezone.now())
    row.claimed_by = "" if release else principal.actor
    row.claimed_at = None if release else timezone.now()
    row.version += 1
    row.save(update_fields=["claimed_by", "claimed_at", "version"])
    asking.tell(row, WorkEvent.APPROVAL_CLAIMED, actor=principal.actor, by=row.claimed_by)
    return row


def expire(approval_id: UUID) -> bool:
    """End an approval whose time is over as its rule says; whether it did."""
    with database.atomic():
        found = Approval.objects.filter(pk=approval_id, session__deleted_at=None).first()
        if found is None:
            return False
        case = deciding.locked(found)
        if not case.approval.is_open or not case.approval.is_late(timezone.now()):
            return False
        _expire(case)
        runs.settle(case.run.pk, actor=ACTOR)
        return True


def _expire(case: Case) -> None:
    row, call = case.approval, case.tool_call
    row.move("expire")
    row.decided_at, row.decided_by, row.version = timezone.now(), ACTOR, row.version + 1
    row.save(update_fields=["state", "decided_at", "decided_by", "version"])
    is_approved = row.on_timeout == "approve"
    if is_approved:
        call.move("approve")
    else:
        call.move("expire")
        call.ended_at, call.error = row.decided_at, ApprovalTimeout().as_dict()
    call.save(update_fields=["state", "error", "ended_at"])
    asking.tell(row, WorkEvent.APPROVAL_EXPIRED, actor=ACTOR, state=call.state)
    if is_approved:
        told = {"by": row.rule, "edited": False}
        tool_log.tell(call, (WorkEvent.TOOL_CALL_APPROVED, told), actor=ACTOR)
    else:
        tool_log.tell(call, (WorkEvent.TOOL_CALL_EXPIRED, {}), actor=ACTOR)
        tool_log.show(case.run, [tool_log.settled(call)])


def expire_due() -> int:
    """End every approval whose time is over; how many did."""
    return sum(expire(approval_id) for approval_id in reading.due())
