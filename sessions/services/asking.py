"""Asking people about tool calls, and telling what becomes of that."""

from datetime import timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from sessions import metrics
from sessions.core.checkpoints import Moment
from sessions.core.events import WorkEvent
from sessions.core.freshness import Known
from sessions.core.lifecycle import State as SessionState
from sessions.core.policy import Verdict
from sessions.models import Approval, ToolCall
from sessions.services import taking
from sessions.services.deciding import Case
from streaming import hints
from streaming.services import ledger


def ask(tool_call: ToolCall, verdict: Verdict, *, evidence: Known) -> Approval:
    """
    Let somebody decide on a pending call, in the caller's transaction, which locked its run.

    ``evidence`` is what is known now of the topics that the decision rests on.
    """
    session, now = tool_call.session, timezone.now()
    approval = Approval(
        session=session,
        run_id=tool_call.run_id,
        tool_call=tool_call,
        digest=tool_call.digest,
        evidence=dict(evidence),
        freshness=msgspec.to_builtins(verdict.freshness),
        parameters=verdict.parameters,
        rule=verdict.rule,
        who=msgspec.to_builtins(verdict.who),
        on_timeout=verdict.on_timeout,
        requested_by=f"agent:{tool_call.run.agent_slug}",
        requested_at=now,
        expires_at=now + timedelta(seconds=verdict.seconds),
        stops_clock=verdict.stops_clock,
    )
    _request(approval, is_paused=session.state == SessionState.PAUSED)
    return approval


def _request(approval: Approval, *, is_paused: bool) -> None:
    if approval.stops_clock and is_paused:
        approval.clock_stopped_at = approval.requested_at
    approval.seq = tell(
        approval,
        WorkEvent.APPROVAL_REQUESTED,
        actor=approval.requested_by,
        risk=approval.tool_call.risk,
        rule=approval.rule,
        digest=approval.digest,
        expires_at=approval.expires_at,
    )
    approval.save(force_insert=True)
    taking.note(approval.session_id, Moment.APPROVAL_PENDING)


def again(case: Case, evidence: Known, *, by: str) -> Approval:
    """Ask anew about a call, in the place of an open approval, with what is known now."""
    old, now = case.approval, timezone.now()
    lifetime = old.expires_at - old.requested_at
    old.move("cancel")
    old.decided_at, old.decided_by, old.version = now, by, old.version + 1
    old.save(update_fields=["state", "decided_at", "decided_by", "version"])
    tell(old, WorkEvent.APPROVAL_CANCELLED, actor=by, reason="moved")
    kept = ("digest", "freshness", "parameters", "rule", "who", "on_timeout", "stops_clock")
    new = Approval(
        session=case.session,
        run=case.run,
        tool_call=case.tool_call,
        evidence=dict(evidence),
        requested_by=old.requested_by,
        requested_at=now,
        expires_at=now + lifetime,
        replaces=old,
        **{name: getattr(old, name) for name in kept},
    )
    _request(new, is_paused=case.session.state == SessionState.PAUSED)
    return new


def tell(row: Approval, event: WorkEvent, *, actor: str, **data: Any) -> int:
    """Write one event of an approval, and hint that its session moved; the ``seq`` of the event."""
    if not row.is_open:
        transaction.on_commit(metrics.approvals.labels(row.state).inc)
    known: dict[str, Any] = {"approval": row.pk, "tool_call": row.tool_call_id, "run": row.run_id}
    data = known | {"tool": row.tool_call.tool} | data
    told = ledger.append(session_id=row.session_id, type=event.value, actor=actor, **data)
    hints.send(hints.Hint("lever", str(row.session_id)))
    return told.seq
