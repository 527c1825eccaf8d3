"""How runs end before they are done: cancelled or failed, with all that they asked for."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from aegis_project.kit.errors import AegisError, InvalidState
from aegis_project.prepared import Prepared
from components.services import standing
from sessions import metrics
from sessions.core import approvals, run_log, tool_calls
from sessions.core.checkpoints import Moment
from sessions.core.conversation import Role
from sessions.core.events import WorkEvent
from sessions.core.runs import State
from sessions.models import Approval, Run, Session, ToolCall
from sessions.services import messages, taking
from sessions.services import run_log as logs
from streaming import hints
from streaming.services import ledger

Told = tuple[str, dict[str, Any]]

# A call whose effect has begun is not taken back: its worker says what came of it.
WITHDRAWABLE = [
    state.value
    for state, moves in tool_calls.TRANSITIONS.items()
    if moves.get("cancel", state) is not state
]
AT_WORK = (State.WORKING.value, State.WAITING.value)


def open_of(session_id: UUID | str, *, agent: str = "", main: bool = False) -> list[Run]:
    """
    The open runs of a locked session, locked in one order; of one agent, if it is named.

    ``main`` leaves out those that other runs began.
    """
    return _open(session_id=UUID(str(session_id)), agent=agent or None, main=main)


@Prepared
def _open(*, session_id: UUID, agent: str | None, main: bool) -> QuerySet[Run]:
    rows = Run.objects.open().filter(session_id=session_id)
    if agent is not None:
        rows = rows.filter(agent_slug=agent)
    if main:
        rows = rows.filter(parent=None)
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True)


def cancel(session: Session, runs: Sequence[Run], *, actor: str, reason: str) -> None:
    """
    Cancel runs that are locked and open, with the tool calls and approvals that are still open.

    What one was just saying stays in the conversation as far as it came. Their workers find at
    the next thing they write that nothing more is theirs to say.
    """
    for run in runs:
        _keep_what_was_said(session, run)
    told = _withdraw(runs, actor=actor, reason=reason)
    for run in runs:
        run.move("cancel")
        run.cancel_requested_at = timezone.now()
        _end(run)
        told += [_told(run, WorkEvent.RUN_CANCELLED, reason=reason), _over(run)]
    _tell(runs, told, actor=actor)
    for run in runs:
        end = run_log.End(
            state=run.state,
            message=str(run.answer_id) if run.answer_id else None,
            finish_reason="cancelled",
            usage=logs.usage(run),
        )
        logs.append(run, [end])


def fail(runs: Sequence[Run], error: AegisError, *, actor: str) -> None:
    """Fail runs that are locked and open, with the tool calls and approvals that are still open."""
    told = _withdraw(runs, actor=actor, reason=error.code)
    for run in runs:
        run.move("fail")
        run.error = error.as_dict()
        _end(run)
        told += [
            _told(run, WorkEvent.RUN_FAILED, code=error.code, message=error.message),
            _over(run),
        ]
    _tell(runs, told, actor=actor)
    for run in runs:
        logs.append(run, [run_log.Error(**error.as_dict(), usage=logs.usage(run))])


def with_subruns(run: Run) -> list[Run]:
    """A locked run and those of its session that it began, as far as they are open, locked."""
    found, parents = [run], {run.pk}
    for one in sorted(open_of(run.session_id), key=lambda row: row.depth):
        if one.parent_id in parents and one.pk not in parents:
            found.append(one)
            parents.add(one.pk)
    return found


def halt(session: Session, verb: str, *, actor: str) -> None:
    """
    End what agents do in a locked session that is about to move by this verb of the lever.

    A pause ends nothing: workers hold their runs at the next safe point. A failure fails what was
    begun, everything else cancels whatever is open.
    """
    if verb == "pause":
        return
    runs = open_of(session.pk)
    if verb == "fail":
        runs = [run for run in runs if run.state in AT_WORK]
    if not runs:
        return
    _lock_parts(runs)
    # Components move with their session, and they are locked before the head of the ledger.
    standing.lock(session_id=session.pk)
    if verb == "fail":
        fail(runs, InvalidState("Its session failed."), actor=actor)
    else:
        cancel(session, runs, actor=actor, reason=f"session {verb}")


def _lock_parts(runs: Sequence[Run]) -> None:
    ids = [run.pk for run in runs]
    list(_locked_calls(ids))
    list(_locked_approvals(ids))


def _keep_what_was_said(session: Session, run: Run) -> None:
    """Write the answer as far as it came, of a run that was saying it."""
    text = logs.unsettled_text(run) if run.state == State.WORKING else ""
    if text:
        said = messages.append(
            session,
            role=Role.ASSISTANT,
            content=text,
            author=f"agent:{run.agent_slug}",
            agent=run.agent_slug,
            run=run,
            metadata={"interrupted": True},
            id=run.pk,
        )
        run.answer = said


def _end(run: Run) -> None:
    run.ended_at, run.waiting_for = timezone.now(), ""
    run.save()
    transaction.on_commit(metrics.runs.labels(run.state).inc)


def _withdraw(runs: Sequence[Run], *, actor: str, reason: str) -> list[Told]:
    """Take back what nobody has decided or begun; the events that say so."""
    ids = [run.pk for run in runs]
    calls = list(_locked_calls(ids))
    asked = list(_locked_approvals(ids))
    now, told = timezone.now(), list[Told]()
    for call in calls:
        call.move("cancel")
        call.ended_at = now
        told.append((WorkEvent.TOOL_CALL_CANCELLED.value, _of_call(call)))
    ToolCall.objects.bulk_update(calls, ["state", "ended_at"])
    for approval in asked:
        approval.move("cancel")
        approval.decided_at, approval.decided_by = now, actor
        approval.version += 1
        told.append((WorkEvent.APPROVAL_CANCELLED.value, _of_approval(approval, reason)))
    Approval.objects.bulk_update(asked, ["state", "decided_at", "decided_by", "version"])
    return told


def _locked_calls(run_ids: Iterable[UUID]) -> Iterable[ToolCall]:
    rows = ToolCall.objects.filter(run__in=list(run_ids), state__in=WITHDRAWABLE)
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True)


def _locked_approvals(run_ids: Iterable[UUID]) -> Iterable[Approval]:
    rows = Approval.objects.filter(
        run__in=list(run_ids), state=approvals.State.PENDING.value
    ).select_related("tool_call")
    return rows.order_by("pk").select_for_update(of=("self",), no_key=True)


def _of_call(call: ToolCall) -> dict[str, Any]:
    return {"tool_call": call.pk, "run": call.run_id, "tool": call.tool}


def _of_approval(approval: Approval, reason: str) -> dict[str, Any]:
    return {
        "approval": approval.pk,
        "tool_call": approval.tool_call_id,
        "run": approval.run_id,
        "tool": approval.tool_call.tool,
        "reason": reason,
    }


def _told(run: Run, event: WorkEvent, **data: Any) -> Told:
    return event.value, {"run": run.pk, "agent": run.agent_slug, **data}


def _over(run: Run) -> Told:
    return WorkEvent.STREAM_ENDED.value, {"run": run.pk, "state": run.state}


def _tell(runs: Sequence[Run], told: Sequence[Told], *, actor: str) -> None:
    ledger.extend(session_id=runs[0].session_id, actor=actor, told=told)
    taking.note(runs[0].session_id, Moment.RUN_END)
    for run in runs:
        hints.send(hints.Hint("run", str(run.pk)))
