"""What an agent was shown in a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sessions.core import saw
from sessions.core.errors import RunNotFound
from sessions.core.saw import Part
from sessions.models import Run, Session
from sessions.selectors import history


@dataclass(frozen=True, slots=True)
class Saw:
    """
    Of one run: ``tokens`` of all its requests as its provider counted them, and the parts.

    There are no ``parts`` of a run that answers no message, or one that is gone. The instructions are those
    that its agent has now.
    """

    run: Run
    tokens: int
    parts: Sequence[Part]
    tools: int


def of(session: Session, run_id: UUID) -> Saw:
    """
    What the agent of a run of this session was shown until now.

    :raises RunNotFound: if the session has no such run
    """
    rows = Run.objects.filter(session=session.pk, pk=run_id).select_related("agent", "message")
    run = rows.first()
    if run is None:
        raise RunNotFound(run=str(run_id))
    instructions = run.agent.instructions if run.agent else ""
    turns = history.turns(session.pk, up_to=run.message) if run.message else []
    return Saw(
        run=run,
        tokens=sum(one.get("input_tokens", 0) for one in run.usage.values()),
        parts=saw.parts(instructions, saw.before_answer(turns)) if turns else (),
        tools=len(run.agent.tools) if run.agent else 0,
    )
