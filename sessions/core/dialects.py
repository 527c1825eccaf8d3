"""The words in which the dialects say what state a session is in."""

from sessions.core.lifecycle import State

DAEMON: dict[State, str] = {
    State.CREATED: "initialized",
    State.RUNNING: "running",
    State.PAUSED: "stopped",
    State.STOPPED: "stopped",
    State.FAILED: "error",
    State.COMPLETED: "stopped",
    State.ENDED: "stopped",
}

# Where seed 000 takes a STOP for done, although the lever has no stop there.
DAEMON_AT_REST = frozenset({State.CREATED, State.COMPLETED, State.ENDED})
