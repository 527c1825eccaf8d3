"""Carrying tool calls out: what is written before and after each effect."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import (
    AegisError,
    InvalidState,
    PermissionDenied,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal
from sessions import metrics
from sessions.core import tools
from sessions.core.checkpoints import Moment
from sessions.core.errors import ToolCallNotFound, ToolExecutionFailed
from sessions.core.events import WorkEvent
from sessions.core.tool_calls import State
from sessions.models import Run, Session, ToolCall
from sessions.selectors import effects
from sessions.selectors import tool_calls as selecting
from sessions.services import artifacts, run_log, runs, taking, tool_log
from sessions.services.run_log import Superseded
from sessions.services.tool_requests import request
from streaming.services.commands import Trace, command

__all__ = ["Superseded", "fail", "finish", "lose_running", "request", "resolve", "start"]

ACTOR = "system:worker"
LONGEST_REASON = 2000


def start(call_id: UUID, *, run_id: UUID, fence: int) -> ToolCall:
    """
    Write that the effect of an approved call begins now; whoever gets the row may act once.

    :raises Superseded: if the run is not working under this fence
    :raises InvalidState: if the call is not approved, or not what was approved
    """
    with database.atomic():
        run = run_log.held(run_id, fence=fence)
        call = _locked(call_id, run)
        call.move("run")
        if call.digest != call.digest_of(call.arguments):
            raise InvalidState("What is asked for is not what was decided about.")
        call.attempt += 1
        call.started_at = timezone.now()
        call.save(update_fields=["state", "attempt", "started_at"])
        begun = {"attempt": call.attempt, "effect_key": call.effect_key, **_in_fork(call)}
        tool_log.tell(call, (WorkEvent.TOOL_CALL_STARTED, begun), actor=_agent(run))
        taking.note(call.session_id, Moment.BEFORE_TOOL)
        return call


def finish(call_id: UUID, *, run_id: UUID, fence: int, result: Any) -> ToolCall:
    """
    Write what a call came to; a result that is too long begins here and is kept as an artifact.

    That its run was cancelled meanwhile changes nothing about what was done. What is no JSON makes
    the call fail.

    :raises Superseded: if another worker has taken the run since
    """
    try:
        kept = tools.result(result)
    except ValueError as error:
        failure = ToolExecutionFailed(str(error))
        return fail(call_id, run_id=run_id, fence=fence, error=failure)
    with database.atomic():
        run = _ours(run_id, fence)
        call = _locked(call_id, run)
        call.move("complete")
        _keep(call, run, kept)
        _end(call, run, (WorkEvent.TOOL_CALL_COMPLETED, _duration(call)), actor=_agent(run))
        return call


def fail(call_id: UUID, *, run_id: UUID, fence: int, error: AegisError) -> ToolCall:
    """
    Write that a call could not be carried out, and why.

    :raises Superseded: if another worker has taken the run since
    """
    with database.atomic():
        run = _ours(run_id, fence)
        call = _locked(call_id, run)
        call.move("fail")
        call.error = error.as_dict()
        told = {"code": error.code, "message": error.message}
        _end(call, run, (WorkEvent.TOOL_CALL_FAILED, told), actor=_agent(run))
        return call


def lose_running(run_id: UUID) -> list[ToolCall]:
    """
    Say of the calls whose worker is gone that nobody knows what came of them.

    Those of idempotent tools are to be carried out again, with the same key. In the transaction of
    whoever takes the run over, which has locked it; the calls that were lost are returned.
    """
    rows = ToolCall.objects.filter(run_id=run_id, state=State.RUNNING.value).order_by("pk")
    calls = list(rows.select_for_update(of=("self",), no_key=True))
    for call in calls:
        call.move("lose")
        told: list[tuple[WorkEvent, dict[str, Any]]] = [(WorkEvent.TOOL_CALL_UNKNOWN, {})]
        if call.is_idempotent:
            call.move("approve")
            told.append((WorkEvent.TOOL_CALL_APPROVED, {"by": "idempotent", "edited": False}))
        call.save(update_fields=["state"])
        tool_log.tell(call, *told, actor=ACTOR)
    return calls


Outcome = Literal["completed", "failed", "again"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call of which somebody said what came of it."""

    tool_call: ToolCall
    outcome: Outcome

    def audit(self) -> Trace:
        call = self.tool_call
        detail = {"tool": call.tool, "outcome": self.outcome, "digest": call.digest}
        return Trace(session_id=call.session_id, target=str(call.pk), detail=detail)


@command("tool_call.resolve", scope="approvals:decide")
def resolve(
    *,
    principal: Principal,
    tool_call: ToolCall | UUID | str,
    outcome: Outcome,
    result: Any = None,
    reason: str = "",
) -> Resolved:
    """
    Say what came of a call whose worker was gone: its result, that it failed, or do it again.

    :raises ToolCallNotFound: if it is not there for the principal
    :raises PermissionDenied: for a component
    :raises InvalidState: if it is not unknown, or is to be done again for a run that is over
    :raises ValidationFailed: for a result or a reason that cannot be kept
    """
    if principal.kind in {"component", "agent"}:
        raise PermissionDenied("Only a person or a program says what came of it.")
    found = selecting.find(principal, tool_call)
    Session.objects.locked(found.session_id)
    run = Run.objects.locked(found.run_id)
    call = _locked(found.pk, run)
    if call.state != State.UNKNOWN:
        raise InvalidState(
            f"What came of it is known: it is {call.state}.",
            **{"from": call.state, "command": "resolve", "allowed": []},
        )
    _resolve(call, run, outcome, result=result, reason=reason, by=principal.actor)
    runs.settle(run.pk, actor=principal.actor)
    return Resolved(call, outcome)


def _resolve(
    call: ToolCall, run: Run, outcome: Outcome, *, result: Any, reason: str, by: str
) -> None:
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        raise ValidationFailed(
            f"reason has {LONGEST_REASON} characters at most.", fields=["reason"]
        )
    if outcome == "again":
        if not run.is_open:
            raise InvalidState(f"Its run is {run.state}; nothing is done for it any more.")
        call.move("approve")
        call.save(update_fields=["state"])
        told: dict[str, Any] = {"by": by, "edited": False}
        tool_log.tell(call, (WorkEvent.TOOL_CALL_APPROVED, told), actor=by)
    elif outcome == "completed":
        call.move("complete")
        _keep(call, run, tools.result(result))
        _end(call, run, (WorkEvent.TOOL_CALL_COMPLETED, {**_duration(call), "by": by}), actor=by)
    else:
        call.move("fail")
        error = ToolExecutionFailed(reason, by=by)
        call.error = error.as_dict()
        told = {"code": error.code, "message": error.message, "by": by}
        _end(call, run, (WorkEvent.TOOL_CALL_FAILED, told), actor=by)


def _in_fork(call: ToolCall) -> dict[str, str]:
    """Of a fork it is said what effects its calls have."""
    fork = effects.of(call.session_id)
    return {"effects": fork.effects} if fork is not None else {}


def _ours(run_id: UUID, fence: int) -> Run:
    """The run, locked, as long as nobody else has taken it; it may be over by now."""
    run = Run.objects.locked(run_id)
    if run.fence != fence:
        raise Superseded(str(run_id))
    return run


def _locked(call_id: UUID, run: Run) -> ToolCall:
    call = ToolCall.objects.locked(call_id)
    if call.run_id != run.pk:
        raise ToolCallNotFound(tool_call=str(call_id))
    return call


def _keep(call: ToolCall, run: Run, kept: tools.Result) -> None:
    if kept.beginning is None:
        call.result = kept.value
        return
    call.artifact = artifacts.keep(
        session_id=call.session_id,
        name=f"results/{call.pk}.json",
        content=kept.whole,
        author=_agent(run),
        run=run,
    )
    whole = {"id": str(call.artifact.pk), "name": call.artifact.name, "version": 1}
    call.result = kept.marked(artifact=whole)


def _end(call: ToolCall, run: Run, told: tuple[WorkEvent, dict[str, Any]], *, actor: str) -> None:
    call.ended_at = timezone.now()
    call.save(update_fields=["state", "result", "error", "artifact", "ended_at"])
    tool_log.tell(call, told, actor=actor)
    tool_log.show(run, [tool_log.settled(call)])
    transaction.on_commit(partial(_count, metrics.tool_label(call.tool, call.source), call.state))


def _count(tool: str, status: str) -> None:
    metrics.tool_calls.labels(tool, status).inc()


def _duration(call: ToolCall) -> dict[str, Any]:
    begun = call.started_at or call.created_at
    seconds = (timezone.now() - begun).total_seconds()
    artifact = str(call.artifact_id) if call.artifact_id else None
    return {"duration_ms": round(seconds * 1000), "artifact": artifact}


def _agent(run: Run) -> str:
    return f"agent:{run.agent_slug}"
