"""Reading tool calls: who sees which."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from aegis_project.kit.principal import Principal
from sessions.core import keys
from sessions.core.errors import ToolCallNotFound
from sessions.core.runs import State as Runs
from sessions.core.runs import Waiting
from sessions.core.tool_calls import WORDS, State
from sessions.core.tools import QUESTION
from sessions.models import Approval, Run, Session, ToolCall
from sessions.selectors import sessions

# A database takes so many parameters and no more.
SLICE = 500


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


def question(run: Run) -> str:
    """What a run asks a person that waits for input; else nothing."""
    if run.waiting_for != Waiting.INPUT:
        return ""
    rows = ToolCall.objects.filter(run=run, tool=QUESTION, state=State.PENDING.value)
    asked = rows.order_by("created_at", "pk").values_list("arguments", flat=True).first()
    return str((asked or {}).get("question", ""))


def questions(principal: Principal, *, limit: int) -> list[ToolCall]:
    """
    What runs ask people who see their sessions, the oldest first.

    :raises PermissionDenied: without the scope messages:read
    """
    principal.require("messages:read")
    rows = ToolCall.objects.filter(
        run__state=Runs.WAITING.value,
        run__waiting_for=Waiting.INPUT.value,
        session__in=sessions.visible(principal),
        source="builtin",
        tool=QUESTION,
        state=State.PENDING.value,
    )
    return list(rows.select_related("run", "session").order_by("created_at", "pk")[:limit])


def judged(session_rows: QuerySet[Session]) -> QuerySet[ToolCall]:
    """The calls of these sessions that a policy has judged, with what is asked of their runs."""
    rows = ToolCall.objects.filter(session__in=session_rows).exclude(rule="")
    return rows.select_related("run", "run__session")


def decisions(calls: Collection[ToolCall]) -> dict[UUID, str]:
    """The state of the last approval of each of these calls that had one."""
    found: dict[UUID, str] = {}
    ids = [call.pk for call in calls]
    for first in range(0, len(ids), SLICE):
        rows = Approval.objects.filter(tool_call__in=ids[first : first + SLICE])
        states = rows.order_by("requested_at", "pk").values_list("tool_call_id", "state")
        found.update(states)
    return found
