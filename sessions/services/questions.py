"""Questions of runs to a person: found, and answered by what the person says next."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from aegis_project.prepared import Prepared
from sessions.core.events import WorkEvent
from sessions.core.runs import State as Runs
from sessions.core.tool_calls import State
from sessions.core.tools import QUESTION
from sessions.models import Agent, Message, Run, Session, ToolCall
from sessions.services import runs, tool_log


@dataclass(frozen=True, slots=True)
class Question:
    """A question that nobody has answered: the run that asks it, and its tool call, both locked."""

    run: Run
    tool_call: ToolCall


def first(session: Session, agent: Agent) -> Question | None:
    """The oldest open question of an agent in a locked session, if it has one."""
    for call_id, run_id in _open(session_id=session.pk, agent=agent.slug):
        run = Run.objects.locked(run_id)
        call = ToolCall.objects.locked(call_id)
        run.session = call.session = session
        call.run = run
        return Question(run, call) if call.state == State.PENDING and run.is_open else None
    return None


# Asked with every message.
@Prepared
def _open(session_id: UUID, agent: str) -> QuerySet[ToolCall, tuple[UUID, UUID]]:
    rows = ToolCall.objects.filter(
        run__session_id=session_id,
        run__agent_slug=agent,
        run__state__in=[Runs.WORKING.value, Runs.WAITING.value],
        tool=QUESTION,
        source="builtin",
        state=State.PENDING.value,
    )
    return rows.order_by("created_at", "pk").values_list("pk", "run_id")[:1]


def answer(question: Question, message: Message, *, by: str, files: Sequence[str] = ()) -> Run:
    """Make a message the result of a question, and let its run go on when nothing else holds it."""
    call, run = question.tool_call, question.run
    call.move("answer")
    call.result = {"answer": message.content, "by": by, "message": str(message.pk)}
    if files:
        call.result["files"] = list(files)
    call.ended_at = timezone.now()
    call.save(update_fields=["state", "result", "ended_at"])
    told = {"by": by, "message": str(message.pk)}
    tool_log.tell(call, (WorkEvent.TOOL_CALL_COMPLETED, told), actor=by)
    tool_log.show(run, [tool_log.settled(call)])
    runs.settle(run.pk, actor=by)
    run.refresh_from_db()
    return run
