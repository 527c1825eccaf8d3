"""The machine of runs: one piece of work that an agent does in a session."""

from enum import StrEnum

from aegis_project.kit.errors import AegisError
from aegis_project.kit.states import Table

MAX_ATTEMPTS = 3


class RunRejected(AegisError):
    """The agent does not take what it was asked to do."""

    code = "RUN_REJECTED"
    status = 422


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    WORKING = "working"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Waiting(StrEnum):
    """What a waiting run waits for."""

    APPROVAL = "approval"
    BUDGET = "budget"
    INPUT = "input"
    UNKNOWN = "unknown"


# What a run waits for that only somebody can give.
PEOPLE = frozenset({Waiting.APPROVAL, Waiting.INPUT, Waiting.UNKNOWN})

# `release` gives a working run back to the queue: its worker ends, or is gone.
TRANSITIONS: Table[State] = {
    State.QUEUED: {
        "claim": State.WORKING,
        "fail": State.FAILED,
        "cancel": State.CANCELLED,
    },
    State.WORKING: {
        "wait": State.WAITING,
        "release": State.QUEUED,
        "complete": State.COMPLETED,
        "fail": State.FAILED,
        "cancel": State.CANCELLED,
    },
    State.WAITING: {
        "resume": State.QUEUED,
        "fail": State.FAILED,
        "cancel": State.CANCELLED,
    },
    State.COMPLETED: {},
    State.FAILED: {},
    State.CANCELLED: {"cancel": State.CANCELLED},
}

OPEN = frozenset({State.QUEUED, State.WORKING, State.WAITING})

# The words of the original agent protocol (seed 002) and of A2A 1.0.
TASK_WORDS: dict[State, str] = {
    State.QUEUED: "pending",
    State.WORKING: "running",
    State.WAITING: "running",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}
A2A_WORDS: dict[State, str] = {
    State.QUEUED: "SUBMITTED",
    State.WORKING: "WORKING",
    State.WAITING: "INPUT_REQUIRED",
    State.COMPLETED: "COMPLETED",
    State.FAILED: "FAILED",
    State.CANCELLED: "CANCELED",
}
REJECTED = "REJECTED"


def a2a_word(state: State, *, code: str = "") -> str:
    """The word of A2A for a run; ``code`` is why it failed, if it did."""
    is_rejected = state is State.FAILED and code == RunRejected.code
    return REJECTED if is_rejected else A2A_WORDS[state]
