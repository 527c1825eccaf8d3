"""The one machine of sessions."""

from datetime import datetime, timedelta
from enum import StrEnum

from aegis_project.kit.states import Table, allowed


class State(StrEnum):
    """Where a session stands."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"
    COMPLETED = "completed"
    ENDED = "ended"


class Kind(StrEnum):
    """What work a session is."""

    STREAM = "stream"
    CHAT = "chat"
    METRICS = "metrics"
    POLICY = "policy"
    SIMULATION = "simulation"
    AUDIT = "audit"
    CUSTOM = "custom"


class Mode(StrEnum):
    """Where time and data come from."""

    REALTIME = "realtime"
    HISTORICAL = "historical"


class Environment(StrEnum):
    """How careful everybody must be."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"
    PERSONA = "persona"


TRANSITIONS: Table[State] = {
    State.CREATED: {
        "start": State.RUNNING,
        "fail": State.FAILED,
        "complete": State.COMPLETED,
        "end": State.ENDED,
    },
    State.RUNNING: {
        "start": State.RUNNING,
        "pause": State.PAUSED,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "complete": State.COMPLETED,
        "end": State.ENDED,
    },
    State.PAUSED: {
        "start": State.RUNNING,
        "pause": State.PAUSED,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "complete": State.COMPLETED,
        "end": State.ENDED,
    },
    State.STOPPED: {
        "start": State.RUNNING,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "complete": State.COMPLETED,
        "end": State.ENDED,
    },
    State.FAILED: {
        "start": State.RUNNING,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "end": State.ENDED,
    },
    State.COMPLETED: {"complete": State.COMPLETED},
    State.ENDED: {"end": State.ENDED},
}

OPEN = frozenset({State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED, State.FAILED})
CLOSED = frozenset({State.COMPLETED, State.ENDED})
ATTACHABLE = frozenset({State.CREATED, State.PAUSED, State.STOPPED})
HALTED = frozenset({State.STOPPED, State.FAILED, State.COMPLETED, State.ENDED})

# While a start waits for READY these withdraw it, also where the table alone would refuse.
WITHDRAWS = ("stop", "pause", "fail", "complete", "end")


def legal(state: State, *, is_starting: bool) -> list[str]:
    """The commands that are not refused now, the withdrawal of a pending start included."""
    commands = allowed(TRANSITIONS, state)
    if is_starting:
        commands += [verb for verb in WITHDRAWS if verb not in commands]
    return commands


def mints_activation(state: State) -> bool:
    """Whether a move from here to running counts as a new start."""
    return state is not State.PAUSED


def uptime(*, started_at: datetime | None, stopped_at: datetime | None, now: datetime) -> timedelta:
    """How long the session has run since its last start; zero if it never did."""
    if started_at is None:
        return timedelta(0)
    return max((stopped_at or now) - started_at, timedelta(0))
