"""What a client that was away has to be told of a session: what it missed, and what is pending."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aegis_project.kit.principal import Principal
from sessions.core.tool_calls import State as CallState
from sessions.models import Approval, Checkpoint, Session, ToolCall
from sessions.selectors import approvals, checkpoints, sessions
from streaming.selectors import events, logs
from streaming.selectors.events import Extract

UNDECIDED = (CallState.PENDING.value, CallState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Pending:
    """
    What is not settled in a session now.

    ``approvals`` and ``tool_calls`` (those that wait for somebody) are None for who may not read
    approvals.
    """

    session: Session
    runs: list[dict[str, Any]]
    approvals: list[Approval] | None
    tool_calls: list[ToolCall] | None


@dataclass(frozen=True, slots=True)
class Reconnected:
    """What was missed behind a number, the newest checkpoint, and what is pending."""

    missed: Extract
    checkpoint: Checkpoint | None
    pending: Pending


def read(
    principal: Principal, session: Session | UUID | str, *, after: int | None, limit: int
) -> Reconnected:
    """
    What a client has missed that had the event number ``after``; None has missed nothing.

    :raises PermissionDenied: without the scopes sessions:read and events:read
    :raises SessionNotFound: if the session is not there for the principal
    """
    principal.require("sessions:read")
    principal.require("events:read")
    row = sessions.find(principal, session)
    behind = logs.ledger_head(row.pk) if after is None else after
    missed = events.extract(principal=principal, session_id=row.pk, after=behind, limit=limit)
    newest = checkpoints.readable(principal, row).first()
    return Reconnected(missed, newest, pending(principal, row))


def pending(principal: Principal, row: Session) -> Pending:
    """What is not settled in a session that the principal sees."""
    runs = checkpoints.open_runs(row.pk)
    if not principal.allows("approvals:read"):
        return Pending(row, runs, None, None)
    asked = approvals.of_session(row).filter(state=approvals.PENDING)
    calls = ToolCall.objects.filter(session=row, state__in=UNDECIDED).order_by("created_at", "pk")
    return Pending(row, runs, list(asked), list(calls))
