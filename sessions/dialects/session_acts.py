"""What the frames of a session's socket order, as the services do it."""

from typing import Any
from uuid import UUID

from aegis_project.kit.errors import AegisError, InvalidState, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.api import reconnect
from sessions.core.errors import ApprovalNotFound, RunNotFound
from sessions.core.runs import OPEN
from sessions.dialects.session_frames import AnyFrame, Cancel, Decide, Reconnect, Say
from sessions.models import Approval, Run
from sessions.selectors import approvals as reading
from sessions.selectors import reconnecting, sessions, situation
from sessions.selectors import runs as runs_reading
from sessions.services import approvals, conversation, runs
from sessions.services.conversation import Utterance
from streaming.api import codecs
from streaming.services import commands

Answer = dict[str, Any]


def carry_out(principal: Principal, session_id: UUID, frame: AnyFrame) -> Answer:
    """
    Do what a frame says; what is answered.

    :raises AegisError: as the service that does it; the audit tells of it then
    """
    try:
        return _carried_out(principal, session_id, frame)
    except AegisError as error:
        name = str(frame.__struct_config__.tag)
        commands.kept_out(error, command=name, principal=principal, target=str(session_id))
        raise


def _carried_out(principal: Principal, session_id: UUID, frame: AnyFrame) -> Answer:
    match frame:
        case Say():
            return _say(principal, session_id, frame)
        case Decide():
            return _decide(principal, session_id, frame)
        case Cancel():
            return _cancel(principal, session_id, frame)
        case Reconnect():
            return _reconnect(principal, session_id, frame)
        case _:
            raise ValidationFailed("Who is there was said already.")


def _say(principal: Principal, session_id: UUID, frame: Say) -> Answer:
    try:
        codecs.check_kept(frame.metadata)
    except ValueError as error:
        raise ValidationFailed(f"metadata: {error}.", fields=["metadata"]) from None
    said = conversation.say(
        principal=principal,
        session=session_id,
        draft=Utterance(
            content=frame.content,
            attachments=frame.attachments,
            parent=frame.parent_id,
            agent=frame.agent,
            metadata=frame.metadata,
            admission=frame.admission,
            answers=frame.answers,
        ),
    )
    run = str(said.run.pk) if said.run else None
    return {"type": "accepted", "message_id": str(said.message.pk), "run_id": run}


def _decide(principal: Principal, session_id: UUID, frame: Decide) -> Answer:
    found = reading.find(principal, frame.approval_id)
    if found.session_id != session_id:
        raise ApprovalNotFound(approval=str(frame.approval_id))
    decided = approvals.decide(
        principal=principal,
        approval=found,
        approved=frame.approved,
        reason=frame.feedback,
        edited_arguments=frame.edited_arguments,
        version=frame.version,
        evidence=situation.now(found) if frame.approved else None,
    )
    row = decided.approval
    return {"type": "accepted", "approval_id": str(row.pk), "state": row.state}


def _cancel(principal: Principal, session_id: UUID, frame: Cancel) -> Answer:
    principal.require("runs:write")
    session = sessions.find(principal, session_id)
    rows = runs_reading.of_session(session)
    if frame.run_id is not None:
        rows = rows.filter(pk=frame.run_id)
        if not rows.exists():
            raise RunNotFound(run=str(frame.run_id))
    open_ = list(rows.filter(state__in=OPEN, parent=None).order_by("place"))
    waiting = list(
        Approval.objects.filter(run__in=open_, state="pending").values_list("pk", flat=True)
    )
    ended = [_end(principal, run, reason=frame.reason) for run in open_]
    cancelled = Approval.objects.filter(pk__in=waiting, state="cancelled").count()
    return {
        "type": "cancelled",
        "runs": [str(run.pk) for run in ended if run is not None],
        "cancelled_approvals": cancelled,
        "reason": frame.reason,
    }


def _reconnect(principal: Principal, session_id: UUID, frame: Reconnect) -> Answer:
    found = reconnecting.read(principal, session_id, after=frame.after, limit=frame.limit)
    return {"type": "reconnected", **reconnect.shown(found, after=frame.after)}


def _end(principal: Principal, run: Run, *, reason: str) -> Run | None:
    try:
        return runs.cancel(principal=principal, run=run, reason=reason)
    except InvalidState:
        # It came to its end meanwhile.
        return None
