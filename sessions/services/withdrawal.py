"""Taking back what a session's agents ask people for; their runs go on without it."""

from dataclasses import dataclass

from django.utils import timezone

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core.approvals import State
from sessions.core.events import WorkEvent
from sessions.models import Approval, Run, Session
from sessions.services import asking, deciding, moving, runs, tool_log
from sessions.services.deciding import LONGEST_REASON, Case
from streaming.services.commands import Trace, command

REASON = "Cancelled by user"
"""What seed 004 says of an approval that was cancelled, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The approvals of a session that nobody needs to decide on any more."""

    session: Session
    approvals: list[Approval]
    reason: str

    def audit(self) -> Trace:
        detail = {"approvals": [str(row.pk) for row in self.approvals], "reason": self.reason}
        return Trace(session_id=self.session.pk, target=str(self.session.pk), detail=detail)


@command("approval.cancel", scope="approvals:decide")
def cancel(*, principal: Principal, session: moving.Reference, reason: str = "") -> Withdrawn:
    """
    Cancel every approval of a session that waits, and the tool calls that it is about.

    Nothing of them is carried out. A run goes on when none of its calls waits any more; its agent
    finds them cancelled. Where nothing waits nothing is done.

    :raises SessionNotFound: if the session is not there for the principal
    :raises PermissionDenied: for a component, which decides on nothing
    :raises ValidationFailed: for a reason that cannot be kept
    """
    if principal.kind == "component":
        raise PermissionDenied("A component decides on nothing.")
    if len(reason) > LONGEST_REASON:
        raise ValidationFailed(f"A reason has at most {LONGEST_REASON} characters.", field="reason")
    row = moving.locked(principal, session)
    why = reason or REASON
    waiting = _waiting(row)
    cases = [deciding.locked(one) for one in waiting]
    cancelled = [_cancel(case, by=principal, why=why) for case in cases if case.approval.is_open]
    for run_id in sorted({one.run_id for one in cancelled}):
        runs.settle(run_id, actor=principal.actor)
    return Withdrawn(row, cancelled, why)


def _waiting(session: Session) -> list[Approval]:
    """What waits in a locked session, the oldest first; its runs are locked in one order."""
    rows = Approval.objects.filter(session=session, state=State.PENDING.value)
    runs_of = Run.objects.filter(pk__in=rows.values("run")).order_by("pk")
    list(runs_of.select_for_update(of=("self",), no_key=True))
    return list(rows.order_by("requested_at", "pk"))


def _cancel(case: Case, *, by: Principal, why: str) -> Approval:
    row, call = case.approval, case.tool_call
    row.move("cancel")
    row.decided_at, row.decided_by, row.decider_id = timezone.now(), by.actor, by.user_id
    row.transport, row.reason, row.version = by.transport[:32], why, row.version + 1
    row.save()
    call.move("cancel")
    call.ended_at = row.decided_at
    call.save(update_fields=["state", "ended_at"])
    asking.tell(row, WorkEvent.APPROVAL_CANCELLED, actor=by.actor, reason=why)
    tool_log.tell(call, (WorkEvent.TOOL_CALL_CANCELLED, {}), actor=by.actor)
    # Of several calls of one run, each finds in its log what the one before it wrote.
    case.run.refresh_from_db(fields=["safe_seq"])
    tool_log.show(case.run, [tool_log.settled(call)])
    return row
