"""A run as the interface shows it, and what may be said about one."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from sessions.core.conversation import Admission
from sessions.core.runs import State
from sessions.models import Run
from streaming.api import codecs
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery

Whole = Annotated[int, Meta(ge=0, le=10**12)]
Task = Annotated[str, Meta(max_length=128)]
Reason = Annotated[str, Meta(max_length=500)]


class UsageDocument(Struct, kw_only=True):
    """What one model was asked, and what that took; `cost` is US dollars."""

    requests: int
    input_tokens: int
    output_tokens: int
    cost: str


class RunDocument(Struct, kw_only=True):
    """
    One piece of work of an agent.

    `place` counts the runs of its session. `waiting_for` says what a waiting run waits for
    (approval, budget, input, unknown), `error` why it failed or waits. `attempt` counts how often
    it began to speak, `losses` how often its worker was gone. `message` is what it answers and
    `answer` what it said.
    """

    id: UUID
    session: UUID
    place: int
    agent: str
    state: State
    waiting_for: str
    attempt: int
    losses: int
    message: UUID | None
    answer: UUID | None
    parent: UUID | None
    trigger: UUID | None
    task: str
    requested_by: str
    parameters: dict[str, Any]
    limits: dict[str, Any]
    usage: dict[str, UsageDocument]
    steps: int
    token_count: int
    cost: str
    worked_seconds: float
    error: dict[str, Any] | None
    created_at: Timestamp
    started_at: Timestamp | None
    ended_at: Timestamp | None


class RunPage(Struct, kw_only=True):
    """Runs, and the cursor of the page that follows; an empty one after the last page."""

    data: list[RunDocument]
    next: str


class RunQuery(PageQuery, kw_only=True):
    """Which runs: of these states, this agent, this task; the newest first."""

    state: Annotated[str, Meta(description="States, with commas between.")] = ""
    agent: Annotated[str, Meta(max_length=100)] = ""
    task: Task = ""
    ordering: Literal["-created_at", "created_at"] = "-created_at"

    def __post_init__(self) -> None:
        known = {state.value for state in State}
        if not set(self.states) <= known:
            raise ValueError(f"state takes {', '.join(sorted(known))}")

    @property
    def states(self) -> list[str]:
        """The states asked for; none is all."""
        return [word for word in self.state.split(",") if word]


class LimitsInput(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a run may use: requests to models, seconds of work, tokens, US dollars."""

    max_steps: Whole | None = None
    max_seconds: Whole | None = None
    max_tokens: Whole | None = None
    max_cost: Annotated[float, Meta(ge=0, le=10**12)] | None = None

    def given(self) -> dict[str, Any]:
        """The limits that were given."""
        named = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in named.items() if value is not None}


class RunInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    What an agent is to do.

    Without `agent` it is the session's. `message` is one of its messages to answer (again);
    without one the agent goes on with the conversation as it is.
    """

    agent: Annotated[str, Meta(max_length=100)] = ""
    message: UUID | None = None
    task: Task = ""
    parameters: dict[str, Any] = {}
    limits: LimitsInput = LimitsInput()
    admission: Admission | None = None

    def __post_init__(self) -> None:
        codecs.check_kept(self.parameters)


class CancelInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is cancelled."""

    reason: Reason = ""


def run(row: Run) -> RunDocument:
    """The document of a run."""
    return RunDocument(
        id=row.pk,
        session=row.session_id,
        agent=row.agent_slug,
        state=State(row.state),
        message=row.message_id,
        answer=row.answer_id,
        parent=row.parent_id,
        trigger=row.trigger_id,
        usage={model: UsageDocument(**used) for model, used in row.usage.items()},
        cost=f"{row.cost:f}",
        worked_seconds=round(row.worked_seconds, 3),
        **{name: getattr(row, name) for name in SAME},
    )


SAME = (
    *("place", "waiting_for", "attempt", "losses", "task", "requested_by", "parameters", "limits"),
    *("steps", "token_count", "error", "created_at", "started_at", "ended_at"),
)
