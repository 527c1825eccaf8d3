"""Reading tool calls: who sees which."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from aegis_project.kit.principal import Principal
from sessions.core import keys
from sessions.core.errors import ToolCallNotFound
from sessions.core.tool_calls import WORDS, State
from sessions.models import Approval, ToolCall
from sessions.selectors import sessions


def find(principal: Principal, tool_call: ToolCall | UUID | str) -> ToolCall:
    """
    One tool call by its id, with its run and session.

    :raises ToolCallNotFound: if there is none, also when its session is out of sight
    """
    uuid = tool_call.pk if isinstance(tool_call, ToolCall) else keys.as_uuid(str(tool_call))
    rows = ToolCall.objects.select_related("run", "session", "message", "artifact")
    seen = rows.filter(session__in=sessions.visible(principal), pk=uuid) if uuid else rows.none()
    found = seen.first()
    if found is None:
        raise ToolCallNotFound(tool_call=str(uuid or tool_call))
    return found


def of_session(session_id: UUID, *, states: Collection[State] = ()) -> QuerySet[ToolCall]:
    """The tool calls of a session, in these states if any are named."""
    rows = ToolCall.objects.filter(session_id=session_id)
    return rows.filter(state__in=[state.value for state in states]) if states else rows


def last_approval(call: ToolCall) -> Approval | None:
    """The last decision that was asked for on a call; an earlier one was replaced by it."""
    return last_approvals([call]).get(call.pk)


def last_approvals(calls: Collection[ToolCall]) -> dict[UUID, Approval]:
    """The last decisions that were asked for on these calls, by call."""
    rows = Approval.objects.filter(tool_call__in=[call.pk for call in calls])
    related = rows.select_related("tool_call", "run", "session")
    return {row.tool_call_id: row for row in related.order_by("requested_at", "pk")}


def states_of(words: Collection[str]) -> set[State]:
    """
    The states that are meant by words, ours or those of seed 004.

    :raises KeyError: naming the word that nobody has
    """
    ours = {state.value: {state} for state in State}
    # Its `approved` and `failed` are several states here; a word of ours means that one alone.
    theirs: dict[str, set[State]] = {}
    for state, word in WORDS.items():
        theirs.setdefault(word, set()).add(state)
    return {state for word in words for state in (theirs.get(word) or ours[word])}
