"""What stands between a run and its next step."""

from sessions.core import tool_calls
from sessions.core.runs import Waiting
from sessions.core.tools import QUESTION
from sessions.models import Run, ToolCall

BLOCKING = [tool_calls.State.PENDING.value, tool_calls.State.UNKNOWN.value]
BLOCKED_BY = (Waiting.APPROVAL, Waiting.INPUT, Waiting.UNKNOWN)


def waits_for(run: Run) -> Waiting | None:
    """Decisions, answers, a person, or nothing."""
    rows = ToolCall.objects.filter(run=run, state__in=BLOCKING)
    found = {_blocked_by(*one) for one in rows.values_list("state", "tool", "source")}
    return next((one for one in BLOCKED_BY if one in found), None)


def _blocked_by(state: str, tool: str, source: str) -> Waiting:
    if state == tool_calls.State.UNKNOWN:
        return Waiting.UNKNOWN
    is_question = (source, tool) == ("builtin", QUESTION)
    return Waiting.INPUT if is_question else Waiting.APPROVAL
