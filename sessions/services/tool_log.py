"""What is told of tool calls: events of the ledger, entries in the log of their run."""

from collections.abc import Sequence
from typing import Any

from sessions.core import run_log
from sessions.core.events import WorkEvent
from sessions.models import Approval, Run, ToolCall
from sessions.services import run_log as logs
from streaming.services import ledger


def tell(call: ToolCall, *told: tuple[WorkEvent, dict[str, Any]], actor: str) -> None:
    """Write events of one tool call, each with its own data, in the caller's transaction."""
    of_call = {"tool_call": call.pk, "run": call.run_id, "tool": call.tool}
    events = [(event.value, {**of_call, **data}) for event, data in told]
    ledger.extend(session_id=call.session_id, actor=actor, told=events)


def show(run: Run, entries: Sequence[run_log.Entry]) -> None:
    """
    Write to the log of a locked run what stands in rows by now, so that no attempt replaces it.

    Nothing is added to a log that has ended.
    """
    if entries and run.is_open:
        run.safe_seq = logs.append(run, entries)
        run.save(update_fields=["safe_seq"])


def asked(call: ToolCall, *, approval: Approval | None = None) -> run_log.ToolCall:
    """The entry that an agent asks for a tool, and for which decision it waits."""
    return run_log.ToolCall(
        id=str(call.pk),
        call=call.call_id,
        name=call.tool,
        arguments=call.arguments,
        state=call.state,
        approval=str(approval.pk) if approval else None,
    )


def settled(call: ToolCall) -> run_log.ToolResult:
    """The entry of what came of a tool call."""
    return run_log.ToolResult(
        id=str(call.pk),
        call=call.call_id,
        name=call.tool,
        state=call.state,
        result=call.result,
        error=call.error,
    )
