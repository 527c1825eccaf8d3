"""What a worker reads of a run before it goes on with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from aegis_project.prepared import Prepared
from sessions.agent.protocol import History, LLMServiceProtocol, Prompt, ToolOffer, Turn
from sessions.agent.tools import Toolbox, ToolSpec
from sessions.core import tool_calls
from sessions.core.conversation import Role
from sessions.core.errors import AgentNotFound, BudgetExceeded, RunNotFound
from sessions.core.lifecycle import State as SessionState
from sessions.models import Agent, Run, RunHistory, ToolCall
from sessions.selectors import budgets, history
from sessions.services import messages


@dataclass(frozen=True, slots=True)
class Equipment:
    """Where a run finds its model and its tools."""

    service_for: Callable[[Agent], LLMServiceProtocol]
    toolbox_of: Callable[[Run, Agent], Toolbox]


@dataclass(frozen=True, slots=True)
class Situation:
    """
    Where a run stands: what it may carry out, whether something open holds it.

    ``run`` has its agent, its session and its message.
    """

    run: Run
    agent: Agent
    approved: Sequence[ToolCall]
    is_blocked: bool

    @property
    def is_held(self) -> bool:
        """Whether its session does not run, so that nothing new is begun."""
        return self.run.session.state != SessionState.RUNNING


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the model next."""

    prompt: Prompt
    service: LLMServiceProtocol
    specs: Sequence[ToolSpec]
    tokens: int | None
    """The most that the answer may take, if the run counts tokens."""


HOLDING = sorted(
    one.value
    for one in (
        tool_calls.State.PENDING,
        tool_calls.State.UNKNOWN,
        tool_calls.State.APPROVED,
    )
)


def situation(run_id: UUID) -> Situation:
    """
    Where the run stands.

    :raises AgentNotFound: if its agent was removed
    """
    run = _run(run_id)
    if run.agent is None:
        raise AgentNotFound(agent=run.agent_slug)
    calls = _open_calls(run_id=run.pk)
    approved = [one for one in calls if one.state == tool_calls.State.APPROVED]
    return Situation(run, run.agent, approved, len(calls) > len(approved))


def outlook(
    run_id: UUID, equipment: Equipment, *, seconds: float
) -> tuple[Situation, Question | BudgetExceeded | None]:
    """
    Where the run stands, and what to ask next unless something else is to be done before.

    It is read at once, because each way to the database costs what a few questions cost.

    :raises AgentNotFound: if its agent was removed
    """
    found = situation(run_id)
    if found.approved or found.is_blocked or found.is_held:
        return found, None
    try:
        return found, question(found, equipment, seconds=seconds)
    except BudgetExceeded as error:
        return found, error


def _run(run_id: UUID) -> Run:
    for run in _to_do(pk=run_id):
        return run
    raise RunNotFound(run=str(run_id))


@Prepared
def _to_do(pk: UUID) -> QuerySet[Run]:
    return Run.objects.filter(pk=pk).select_related("agent", "session", "message")


@Prepared
def _open_calls(run_id: UUID) -> QuerySet[ToolCall]:
    rows = ToolCall.objects.filter(run=run_id, state__in=HOLDING)
    return rows.order_by("created_at", "pk")


@Prepared
def _kept(run_id: UUID) -> QuerySet[RunHistory]:
    return RunHistory.objects.filter(run=run_id)


def question(found: Situation, equipment: Equipment, *, seconds: float) -> Question:
    """
    What to ask the model, if there is room for another request.

    :raises BudgetExceeded: if there is none
    """
    budgets.check(found.run, seconds=seconds)
    specs, turns = equipment.toolbox_of(found.run, found.agent).specs(), _turns(found.run)
    kept = next(iter(_kept(run_id=found.run.pk)), None)
    prompt = Prompt(
        instructions=found.agent.instructions,
        turns=turns,
        tools=[ToolOffer(one.name, one.description, one.parameters) for one in specs],
        history=History(kept.format, bytes(kept.body)) if kept else None,
        covered=kept.covered if kept else 0,
        settings={
            **found.agent.settings,
            **found.run.parameters,
            "attempt": found.run.attempt,
        },
    )
    return Question(prompt, equipment.service_for(found.agent), specs, budgets.room(found.run))


def _turns(run: Run) -> list[Turn]:
    up_to = run.message or messages.last(run.session_id)
    turns = history.turns(run.session_id, up_to=up_to) if up_to else []
    asked = run.parameters.get("prompt")
    if run.message is None and isinstance(asked, str) and asked:
        turns = [*turns, Turn(role=Role.USER, content=asked)]
    return turns
