"""Tool calls as a conversation and the table of a session show them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from aegis_project import marks
from sessions.admin import run_cells, words
from sessions.admin.approval_cells import left, person, shown
from sessions.admin.events import pretty
from sessions.core.approvals import State
from sessions.models import Approval, Run, Session, ToolCall
from sessions.selectors import tool_calls, voices

LONGEST, SHOWN = 120, 100
DECIDED = {
    State.APPROVED.value: "Approved",
    State.REJECTED.value: "Rejected",
    State.EXPIRED.value: "Nobody decided",
    State.CANCELLED.value: "Withdrawn",
}

Decisions = Mapping[UUID, Approval]


def several(
    calls: Sequence[ToolCall], decisions: Decisions, *, now: datetime
) -> list[dict[str, Any]]:
    """What the cards of some calls show, in their order."""
    return [context(call, decisions.get(call.pk), now=now) for call in calls]


def context(call: ToolCall, approval: Approval | None, *, now: datetime) -> dict[str, Any]:
    """What a call's card or row shows, with the last decision that was asked for on it."""
    took = (call.ended_at or now) - call.started_at if call.started_at else None
    is_open = call.state == "pending" and approval is not None and approval.is_open
    return {
        "call": call,
        "approval": approval,
        "tool": words.tool(call.tool),
        "chip": marks.chip(call.state, marks.TOOL_CALL),
        "arguments": in_short(call.arguments),
        "took": marks.took(took.total_seconds()) if took else "",
        "error": (call.error or {}).get("message", ""),
        "is_open": is_open,
        "left": left(approval, now=now) if approval is not None and is_open else "",
        "decision": decision(approval) if approval is not None else "",
    }


def panel(session: Session, *, now: datetime) -> dict[str, Any]:
    """The tables of the tab of tool calls: the last runs, and the last calls by run."""
    found = tool_calls.of_session(session.pk).select_related("run")
    calls = list(found.order_by("-created_at", "-pk")[:SHOWN])
    return {
        "runs": run_cells.families(voices.last_runs(session.pk, limit=SHOWN), now=now),
        "groups": by_run(calls, tool_calls.last_approvals(calls), now=now),
        "count": len(calls),
        "limit": SHOWN,
    }


def in_short(arguments: Mapping[str, Any]) -> str:
    """Arguments in one line."""
    said = ", ".join(f"{key} {shown(value)}" for key, value in arguments.items())
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def decision(approval: Approval) -> str:
    """Who decided, and how long that took; empty while nobody has."""
    said = DECIDED.get(approval.state)
    if said is None or approval.decided_at is None:
        return ""
    waited = marks.took((approval.decided_at - approval.requested_at).total_seconds())
    is_somebody = approval.decided_by and not approval.decided_by.startswith("system:")
    by = f" by {person(approval.decided_by)}" if is_somebody else ""
    edited = " with changes" if approval.edited_arguments is not None else ""
    return f"{said}{edited}{by} after {waited}"


def by_run(
    calls: Sequence[ToolCall], decisions: Decisions, *, now: datetime
) -> list[dict[str, Any]]:
    """
    The rows of a table, grouped by the run that asked; the newest first, as the calls are given.

    A row of a batch, which is what one answer of a model asked for at once, says how many it is
    one of.
    """
    batches = defaultdict[UUID | None, int](int)
    runs: dict[UUID, Run] = {}
    rows = defaultdict[UUID, list[dict[str, Any]]](list)
    for call in calls:
        batches[call.message_id] += 1
    for call in calls:
        at_once = batches[call.message_id] if call.message_id else 1
        runs[call.run_id] = call.run
        rows[call.run_id].append(
            context(call, decisions.get(call.pk), now=now)
            | {"at_once": at_once if at_once > 1 else 0, **_whole(call)}
        )
    return [{"run": run, "rows": rows[pk]} for pk, run in runs.items()]


def _whole(call: ToolCall) -> dict[str, str]:
    """What stands behind a row: typed arguments and the answer, as they are."""
    was_edited = call.asked_arguments and call.asked_arguments != call.arguments
    return {
        "given": pretty(call.arguments) if call.arguments else "",
        "asked": pretty(call.asked_arguments) if was_edited else "",
        "answered": pretty(call.result) if call.result is not None else "",
    }
