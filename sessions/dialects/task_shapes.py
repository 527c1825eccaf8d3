"""Sessions, agents and tasks in the shapes and words of seed 002."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from msgspec import UNSET, Struct, UnsetType

from sessions.core.runs import OPEN, TASK_WORDS, State
from sessions.core.tasks import code, moment
from sessions.models import Agent, Run, Session
from sessions.selectors import sessions

PLAIN = "text/plain"


class SessionShape(Struct, kw_only=True, rename="camel"):
    """A session; `agentId` is null without an agent, `state` is its memory."""

    session_id: str
    agent_id: str | None
    created_at: str
    last_activity_at: str
    state: dict[str, Any]
    metadata: dict[str, Any]
    aegis_state: str
    conditions: list[str]


class SessionShapes(Struct, kw_only=True):
    """
    Sessions, the newest first, and how many there are in all.

    With more than `limit`, `next` is the `cursor` of those that follow.
    """

    sessions: list[SessionShape]
    total: int
    next: str | UnsetType = UNSET


class Endpoints(Struct, kw_only=True):
    """Where an agent takes tasks, streams them, and says how they stand."""

    task: str
    stream: str
    status: str


class AgentShape(Struct, kw_only=True, rename="camel"):
    """The card of an agent."""

    agent_id: str
    name: str
    description: str
    version: str
    capabilities: list[str]
    endpoints: Endpoints
    input_types: list[str]
    output_types: list[str]
    auth: dict[str, Any]
    metadata: dict[str, Any]


class AgentShapes(Struct, kw_only=True):
    """The cards of all agents that one may know of."""

    agents: list[AgentShape]
    total: int


class Output(Struct, kw_only=True):
    """What came of a task."""

    type: str
    content: str


class Fault(Struct, kw_only=True):
    """Why something failed or was refused."""

    code: str
    message: str
    details: dict[str, Any]


class FaultDocument(Struct, kw_only=True):
    """A refusal or failure."""

    error: Fault


class TaskShape(Struct, kw_only=True, rename="camel"):
    """A task; `status` is pending, running, completed, failed or cancelled."""

    task_id: str
    status: str
    started_at: str
    ended_at: str | None
    metadata: dict[str, Any]
    aegis_state: str
    output: Output | UnsetType = UNSET
    error: Fault | UnsetType = UNSET


def session(view: sessions.View) -> SessionShape:
    """A session with its conditions."""
    row = view.session
    return SessionShape(
        session_id=str(row.pk),
        agent_id=row.agent or None,
        created_at=moment(row.created_at),
        last_activity_at=moment(row.last_activity_at),
        state=row.memory,
        metadata=row.metadata,
        aegis_state=row.state,
        conditions=[condition.value for condition in view.conditions],
    )


def session_alone(row: Session) -> SessionShape:
    """One session."""
    return session(sessions.view(row, now=timezone.now()))


def agent(row: Agent, *, base: str) -> AgentShape:
    """An agent's card; ``base`` is the address that agents are at."""
    address = f"{base}/{row.slug}"
    skills = [str(one.get("id", "")) for one in row.skills]
    return AgentShape(
        agent_id=row.slug,
        name=row.name,
        description=row.description,
        version=str(row.version),
        capabilities=[*skills, "streaming", "sessions"],
        endpoints=Endpoints(
            task=f"{address}/tasks",
            stream=f"ws{address.removeprefix('http')}/stream",
            status=f"{address}/tasks/{{taskId}}",
        ),
        input_types=row.input_modes or [PLAIN],
        output_types=row.output_modes or [PLAIN],
        auth={"type": "bearer"},
        metadata={"visibility": row.visibility},
    )


def task(row: Run) -> TaskShape:
    """A task as it stands; its answer was read with it."""
    state = State(row.state)
    began = row.started_at or row.created_at
    return TaskShape(
        task_id=row.task or str(row.pk),
        status=TASK_WORDS[state],
        started_at=moment(began),
        ended_at=moment(row.ended_at) if row.ended_at else None,
        metadata=_metadata(row, began),
        aegis_state=row.state,
        output=_output(row),
        error=_error(row, state),
    )


def _metadata(row: Run, began: datetime) -> dict[str, Any]:
    until = row.ended_at or timezone.now()
    found = {
        "tokens_used": row.token_count,
        "duration_ms": round((until - began).total_seconds() * 1000),
        "sessionId": str(row.session_id),
        "runId": str(row.pk),
    }
    return {**found, "waitingFor": row.waiting_for} if row.waiting_for else found


def _output(row: Run) -> Output | UnsetType:
    return Output(type=PLAIN, content=row.answer.content) if row.answer else UNSET


def _error(row: Run, state: State) -> Fault | UnsetType:
    if row.error is None or state in OPEN:
        return UNSET
    told = row.error
    return Fault(
        code=code(told.get("code", "INTERNAL_ERROR")),
        message=told.get("message", ""),
        details=told.get("details", {}),
    )
