"""The mapping of the specification, as it is written there, and what each dialect's diagram allows."""

from dataclasses import dataclass

from sessions.core.lifecycle import State

READING = """
| canonical | 000         | 001       | 004       | 003      | 002        |
| created   | initialized | init      | created   | inactive | listed     |
| running   | running     | running   | active    | active   | listed     |
| paused    | stopped     | paused    | suspended | inactive | listed     |
| stopped   | stopped     | paused    | suspended | inactive | listed     |
| failed    | error       | failed    | suspended | inactive | listed     |
| completed | stopped     | completed | ended     | ended    | not listed |
| ended     | stopped     | completed | ended     | ended    | not listed |
"""
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in READING.split("\n")[1:-1]]
DIALECTS = ROWS[0][1:]
WORDS = {
    (dialect, State(state)): word
    for state, *words in ROWS[1:]
    for dialect, word in zip(DIALECTS, words, strict=True)
}
# Words that are nobody's but a dialect's; `session.suspended` is an event of ours.
FOREIGN = r"\binitialized\b|\binactive\b|(?<!session\.)\bsuspended\b|\binit\b"


@dataclass(frozen=True)
class Verb:
    """
    What a client of a dialect can ask for, and the command of ours that it means.

    ``writes`` is the word that the session reads afterwards in that dialect, ``shown`` the words
    from which the dialect's own diagram has this verb. One that ``waits`` is answered when a
    start is settled. ``rests`` are the states in which it is done although the lever refuses.
    """

    name: str
    means: str
    writes: str = ""
    shown: frozenset[str] = frozenset()
    waits: bool = False
    rests: frozenset[State] = frozenset()


CLOSED = frozenset({State.COMPLETED, State.ENDED})
ATTACHABLE = frozenset({State.CREATED, State.PAUSED, State.STOPPED})
TAKES_TASKS = frozenset({State.CREATED, State.RUNNING, State.PAUSED})


def reads(dialect: str, word: str) -> frozenset[State]:
    """The states that read as a word of a dialect."""
    return frozenset(
        state for (one, state), other in WORDS.items() if (one, other) == (dialect, word)
    )


def any_of(*words: str) -> frozenset[str]:
    return frozenset(words)


DAEMON = [
    Verb(
        "SESSION_START",
        "start",
        writes="running",
        shown=any_of("initialized", "stopped", "error", "running"),
        waits=True,
    ),
    Verb("SESSION_RESUME", "start", writes="running", shown=any_of("stopped"), waits=True),
    Verb(
        "SESSION_STOP",
        "stop",
        shown=any_of("initialized", "running", "stopped", "error"),
        rests=frozenset({State.CREATED, *CLOSED}),
    ),
    Verb("SESSION_RESTART", "restart", writes="running", waits=True),
    Verb("SESSION_ATTACH", "attach", shown=any_of("initialized")),
]
AGENT_SESSIONS = [
    Verb(
        "running",
        "start",
        writes="running",
        shown=any_of("init", "paused", "running"),
        waits=True,
        rests=reads("001", "running"),
    ),
    Verb(
        "paused",
        "pause",
        writes="paused",
        shown=any_of("running", "paused"),
        rests=reads("001", "paused"),
    ),
    Verb(
        "completed",
        "complete",
        writes="completed",
        shown=any_of("running", "paused", "completed"),
        rests=reads("001", "completed"),
    ),
    Verb(
        "failed",
        "fail",
        writes="failed",
        shown=any_of("running", "paused", "failed"),
        rests=reads("001", "failed"),
    ),
    Verb("init", "", writes="init", shown=any_of("init"), rests=reads("001", "init")),
]
BUS = [
    Verb("activate", "start", writes="active", shown=any_of("inactive", "active"), waits=True),
    Verb(
        "deactivate",
        "pause",
        writes="inactive",
        shown=any_of("inactive", "active"),
        rests=reads("003", "inactive"),
    ),
    Verb("end", "end", writes="ended", shown=any_of("inactive", "active")),
]
CONVERSATIONS = [
    Verb("activate", "start", writes="active", shown=any_of("created", "suspended"), waits=True),
    Verb("resume", "start", shown=any_of("suspended")),
    Verb(
        "suspend",
        "pause",
        writes="suspended",
        shown=any_of("active"),
        rests=reads("004", "suspended"),
    ),
    Verb("end", "end", writes="ended", shown=any_of("active", "suspended")),
]
TASKS = [Verb("task", "task"), Verb("DELETE", "end", writes="not listed", shown=any_of("listed"))]
CANONICAL = [
    Verb(name, name)
    for name in ("start", "pause", "stop", "fail", "complete", "end", "restart", "attach")
]
COMMAND_LINE = [Verb(name, name) for name in ("start", "pause", "stop", "fail", "complete", "end")]
ADMIN = [Verb(name, name) for name in ("start", "pause", "stop", "complete", "end")]
