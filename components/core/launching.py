"""The machine of launches: when a component's program is started, started again, given up."""

import re
from dataclasses import dataclass
from enum import StrEnum

from aegis_project.kit.states import Table
from components.core.lifecycle import CONNECTED
from components.core.reconnect import Backoff

LOGS = "logs"
UNFIT = re.compile(r"[^A-Za-z0-9_:@~+=-]|^[:@~+=-]")
# As many characters of an id as lists show.
SHORT = 8
# Enough for every prefix and suffix within the longest topic.
LONGEST_LEVEL = 128


class State(StrEnum):
    """Where the program of a component stands."""

    STOPPED = "stopped"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


class Restart(StrEnum):
    """After which end a program is started again while its session wants it."""

    NEVER = "never"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


# `begin` repeats while starting: a launcher may die between saying so and doing it.
TRANSITIONS: Table[State] = {
    State.STOPPED: {"want": State.WAITING},
    State.WAITING: {"want": State.WAITING, "begin": State.STARTING, "end": State.STOPPED},
    State.STARTING: {
        "want": State.STARTING,
        "begin": State.STARTING,
        "run": State.RUNNING,
        "stop": State.STOPPING,
        "retry": State.WAITING,
        "end": State.STOPPED,
        "fail": State.FAILED,
    },
    State.RUNNING: {
        "want": State.RUNNING,
        "run": State.RUNNING,
        "stop": State.STOPPING,
        "retry": State.WAITING,
        "end": State.STOPPED,
        "fail": State.FAILED,
    },
    State.STOPPING: {
        "want": State.STOPPING,
        "run": State.STOPPING,
        "stop": State.STOPPING,
        "retry": State.WAITING,
        "end": State.STOPPED,
        "fail": State.FAILED,
    },
    State.FAILED: {"want": State.WAITING},
}

# A launcher has something to do for these; in the second ones there may be a process.
ACTIVE = frozenset({State.WAITING, State.STARTING, State.RUNNING, State.STOPPING})
ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING})


def is_here(component: str, process: str | None) -> bool:
    """Whether a component in this state is connected, or has a process, which is None without."""
    return component in CONNECTED or process in ALIVE


@dataclass(frozen=True, slots=True)
class Exit:
    """
    How a process ended.

    ``code`` is its exit code, minus the signal that ended it, or None when nobody saw it end.
    ``seconds`` is how long it ran. ``is_hopeless`` says that it could not be started and that
    another attempt would come to the same.
    """

    code: int | None
    seconds: float = 0.0
    message: str = ""
    is_hopeless: bool = False

    @property
    def sentence(self) -> str:
        """How it ended, for people."""
        if self.message:
            return self.message
        if self.code is None:
            return "It was lost."
        return f"It ended by signal {-self.code}." if self.code < 0 else f"It exited {self.code}."


@dataclass(frozen=True, slots=True)
class Rules:
    """
    When a program is started again.

    At most ``limit`` times in a row, with growing pauses; one that ran for ``settled_seconds``
    begins to count anew.
    """

    restart: Restart
    backoff: Backoff
    limit: int
    settled_seconds: float


class Verdict(StrEnum):
    """What follows the end of a process whose session still wants it."""

    RETRY = "retry"
    END = "end"
    FAIL = "fail"


def judge(ended: Exit, rules: Rules, *, restarts: int) -> Verdict:
    """
    Decide what follows; ``restarts`` is how many there were in a row.

    An end with code 0 is no failure: unless the program is to run always, its work is done.
    """
    if ended.is_hopeless:
        return Verdict.FAIL
    if ended.code == 0 and rules.restart is not Restart.ALWAYS:
        return Verdict.END
    if rules.restart is Restart.NEVER or restarts >= rules.limit:
        return Verdict.FAIL
    return Verdict.RETRY


def in_a_row(ended: Exit, rules: Rules, *, restarts: int) -> int:
    """The restarts that still count after a process ran as long as this one."""
    return 0 if ended.seconds >= rules.settled_seconds else restarts


def pause_seconds(rules: Rules, *, restarts: int, chance: float) -> float:
    """The pause before the next start after so many in a row; ``chance`` is 0 to 1."""
    return rules.backoff.seconds(restarts, chance)


def log_topic(name: str, component_id: str) -> str:
    """
    The topic of what a component's program prints: ``logs.`` and one level for its name.

    A name that is no level keeps what fits, and the beginning of the id tells it from others.
    """
    if not UNFIT.search(name) and len(name) <= LONGEST_LEVEL:
        return f"{LOGS}.{name}"
    return f"{LOGS}.{UNFIT.sub('_', name)[:LONGEST_LEVEL]}-{component_id[:SHORT]}"
