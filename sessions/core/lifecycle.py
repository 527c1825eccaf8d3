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
        "restart": State.RUNNING,
    },
    State.PAUSED: {
        "start": State.RUNNING,
        "pause": State.PAUSED,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "complete": State.COMPLETED,
        "end": State.ENDED,
        "recover": State.PAUSED,
        "restart": State.RUNNING,
    },
    State.STOPPED: {
        "start": State.RUNNING,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "complete": State.COMPLETED,
        "end": State.ENDED,
        "recover": State.PAUSED,
        "restart": State.RUNNING,
    },
    State.FAILED: {
        "start": State.RUNNING,
        "stop": State.STOPPED,
        "fail": State.FAILED,
        "end": State.ENDED,
        "recover": State.PAUSED,
        "restart": State.RUNNING,
    },
    State.COMPLETED: {"complete": State.COMPLETED},
    State.ENDED: {"end": State.ENDED},
}
# What a replay has come to the end of can be replayed again.
HISTORICAL: Table[State] = {
    **TRANSITIONS,
    State.COMPLETED: {**TRANSITIONS[State.COMPLETED], "restart": State.RUNNING},
}

OPEN = frozenset({State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED, State.FAILED})
CLOSED = frozenset({State.COMPLETED, State.ENDED})
ATTACHABLE = frozenset({State.CREATED, State.PAUSED, State.STOPPED})
SEEKABLE = frozenset({State.RUNNING, State.PAUSED, State.STOPPED, State.FAILED})
HALTED = frozenset({State.STOPPED, State.FAILED, State.COMPLETED, State.ENDED})

# Where a restart waits for required components instead: somewhere they can come, and get nothing.
WAITING_ROOMS = {State.RUNNING: State.PAUSED, State.COMPLETED: State.STOPPED}

# While a start waits for READY these withdraw it, also where the table alone would refuse.
WITHDRAWS = ("stop", "pause", "fail", "complete", "end")


def table(mode: Mode) -> Table[State]:
    """What is legal where, for a session of this mode."""
    return HISTORICAL if mode is Mode.HISTORICAL else TRANSITIONS


def legal(state: State, *, is_starting: bool, mode: Mode = Mode.REALTIME) -> list[str]:
    """The commands that are not refused now, the withdrawal of a pending start included."""
    commands = allowed(table(mode), state)
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
