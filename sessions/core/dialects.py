"""The words in which the dialects say what state a session is in."""

from sessions.core.lifecycle import Kind, State

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

AGENT_SESSIONS: dict[State, str] = {
    State.CREATED: "init",
    State.RUNNING: "running",
    State.PAUSED: "paused",
    State.STOPPED: "paused",
    State.FAILED: "failed",
    State.COMPLETED: "completed",
    State.ENDED: "completed",
}

# What the lever does when a client of seed 001 writes a word; nothing leads back to `init`.
AGENT_SESSION_VERBS = {
    "running": "start",
    "paused": "pause",
    "completed": "complete",
    "failed": "fail",
}

# Seed 003 knows one boolean; what is closed is not found there any more.
BUS: dict[State, str] = {
    State.CREATED: "inactive",
    State.RUNNING: "active",
    State.PAUSED: "inactive",
    State.STOPPED: "inactive",
    State.FAILED: "inactive",
    State.COMPLETED: "ended",
    State.ENDED: "ended",
}

# Seed 004's word stands in the field `status` beside our `state`.
CONVERSATIONS: dict[State, str] = {
    State.CREATED: "created",
    State.RUNNING: "active",
    State.PAUSED: "suspended",
    State.STOPPED: "suspended",
    State.FAILED: "suspended",
    State.COMPLETED: "ended",
    State.ENDED: "ended",
}

TABLE: tuple[tuple[str, ...], ...] = (
    ("State", "000", "001", "003", "004"),
    *(
        (state.value, DAEMON[state], AGENT_SESSIONS[state], BUS[state], CONVERSATIONS[state])
        for state in State
    ),
)
"""All of them: a head with the numbers of the seeds, and a row for each state."""

# Kinds of ours that seed 001 has no word for.
AGENT_SESSION_KINDS = {Kind.STREAM: Kind.CUSTOM, Kind.CHAT: Kind.CUSTOM}


def agent_session_kind(kind: str) -> str:
    """Seed 001's word for a kind of session."""
    found = Kind(kind)
    return AGENT_SESSION_KINDS.get(found, found).value


def agent_session_kinds(word: str) -> list[str]:
    """The kinds that read as a word of seed 001."""
    return [kind.value for kind in Kind if agent_session_kind(kind) == word]


def agent_session_states(word: str) -> list[str]:
    """The states that read as a word of seed 001."""
    return [state.value for state, other in AGENT_SESSIONS.items() if other == word]


def conversation_states(*words: str) -> list[str]:
    """The states that read as one of these words of seed 004."""
    return [state.value for state, other in CONVERSATIONS.items() if other in words]
