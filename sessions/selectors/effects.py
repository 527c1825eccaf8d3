"""What a tool call of a fork or a test run is answered with, where nothing is to be carried out."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from aegis_project.prepared import Prepared
from sessions.core import tool_calls
from sessions.core.checkpoints import Effects
from sessions.core.tool_calls import State
from sessions.models import Fork, ToolCall

OUTWARD = frozenset({"http_get"})
"""Of the tools built in those that reach beyond their session."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the same call before, or what is said in its place."""

    result: Any = None
    error: dict[str, Any] | None = None


def of(session_id: UUID) -> Fork | None:
    """From where a session was forked, if it was."""
    return next(iter(_forks(session_id=session_id)), None)


@Prepared
def _forks(session_id: UUID) -> QuerySet[Fork]:
    return Fork.objects.filter(session=session_id).annotate(began_at=F("session__created_at"))


def answer(call: ToolCall) -> Answer | None:
    """
    What a call is answered with; None when it is to be carried out.

    Calls that stay within the session are, as are those of a fork with live effects. With recorded
    ones the n-th call of a tool with the same arguments gets what came of the n-th in the parent.
    """
    fork = of(call.session_id)
    if fork is None or fork.effects == Effects.LIVE or _stays_within(call):
        return None
    found = _recorded(fork, call) if fork.effects == Effects.RECORDED else None
    return found or Answer(result=_stub(fork, call))


def _stays_within(call: ToolCall) -> bool:
    return call.source == "builtin" and call.tool not in OUTWARD


def _recorded(fork: Fork, call: ToolCall) -> Answer | None:
    wanted = tool_calls.canonical(call.arguments)
    own = ToolCall.objects.filter(session=call.session_id, created_at__gt=_began_at(fork))
    before = own.filter(_earlier(call), tool=call.tool).exclude(_was_not_carried_out())
    number = sum(tool_calls.canonical(one.arguments) == wanted for one in before)
    same = [
        one for one in _record(fork, call.tool) if tool_calls.canonical(one.arguments) == wanted
    ]
    if number >= len(same):
        return None
    return Answer(same[number].result, same[number].error)


def _began_at(fork: Any) -> Any:
    # What came with the conversation is older than the fork.
    return fork.began_at


def _earlier(call: ToolCall) -> Q:
    return Q(created_at__lt=call.created_at) | Q(created_at=call.created_at, pk__lt=call.pk)


def _was_not_carried_out() -> Q:
    states = (State.PENDING, State.REJECTED, State.EXPIRED, State.CANCELLED)
    never = Q(state=State.FAILED.value, started_at=None)
    return Q(state__in=[state.value for state in states]) | never


def _record(fork: Fork, tool: str) -> QuerySet[ToolCall]:
    """What came of the parent's calls of this tool behind the checkpoint, in their order."""
    later = Q(run__place__gt=fork.last_run) | Q(run__in=fork.runs)
    done = Q(state=State.COMPLETED.value) | Q(state=State.FAILED.value, started_at__isnull=False)
    rows = ToolCall.objects.filter(later, done, session=fork.parent_id, tool=tool)
    return rows.order_by("created_at", "pk")


def _stub(fork: Fork, call: ToolCall) -> dict[str, Any]:
    why = "nothing was recorded for it" if fork.effects == Effects.RECORDED else "effects are stubs"
    place = "fork" if fork.seq else "test run"
    return {"stub": True, "tool": call.tool, "message": f"Not carried out in this {place}: {why}."}
