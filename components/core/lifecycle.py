"""The machine of components."""

from enum import StrEnum

from aegis_project.kit.states import Table


class State(StrEnum):
    """Where a component stands in its session."""

    PENDING = "pending"
    REGISTERED = "registered"
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


class Role(StrEnum):
    """What a component does in its session."""

    FEED = "feed"
    STRATEGY = "strategy"
    AGENT = "agent"
    TOOL = "tool"
    SINK = "sink"
    OBSERVER = "observer"


# `register` is legal everywhere because the newest connection wins. `fail` is legal for a
# registered component too: it may be lost, register again and let the grace pass without READY.
TRANSITIONS: Table[State] = {
    State.PENDING: {
        "register": State.REGISTERED,
        "fail": State.FAILED,
        "stop": State.STOPPED,
    },
    State.REGISTERED: {
        "register": State.REGISTERED,
        "ready": State.READY,
        "lose": State.LOST,
        "fail": State.FAILED,
        "stop": State.STOPPED,
    },
    State.READY: {
        "register": State.REGISTERED,
        "ready": State.READY,
        "run": State.RUNNING,
        "hold": State.READY,
        "lose": State.LOST,
        "fail": State.FAILED,
        "stop": State.STOPPED,
    },
    State.RUNNING: {
        "register": State.REGISTERED,
        "ready": State.RUNNING,
        "run": State.RUNNING,
        "hold": State.READY,
        "lose": State.LOST,
        "fail": State.FAILED,
        "stop": State.STOPPED,
    },
    # A program that cannot be started again fails its component, which waits for it as stopped.
    State.STOPPED: {"register": State.REGISTERED, "fail": State.FAILED, "stop": State.STOPPED},
    State.FAILED: {"register": State.REGISTERED, "fail": State.FAILED, "stop": State.STOPPED},
    State.LOST: {
        "register": State.REGISTERED,
        "lose": State.LOST,
        "fail": State.FAILED,
        "stop": State.STOPPED,
    },
}

# States of a component that holds its control socket.
CONNECTED = frozenset({State.REGISTERED, State.READY, State.RUNNING})

# Where a register without id looks for its place, in this order of states (spec 3.2).
CLAIMABLE = (State.PENDING, State.STOPPED, State.FAILED, State.LOST)

WORDS: dict[State, str] = {
    State.PENDING: "pending",
    State.REGISTERED: "pending",
    State.READY: "pending",
    State.RUNNING: "running",
    State.STOPPED: "stopped",
    State.FAILED: "failed",
    State.LOST: "running",
}


def word(state: State, *, is_grace_over: bool = False) -> str:
    """
    Name a state as seed 000 does: pending, running, stopped or failed.

    A lost component reads ``running`` inside its grace, because it may come back unnoticed,
    and ``failed`` from the end of the grace on, also before the sweep has stored that.
    """
    if state is State.LOST and is_grace_over:
        return WORDS[State.FAILED]
    return WORDS[state]
