"""Conditions of a session: derived from what is there, never stored as state."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sessions.core.lifecycle import Mode, State


class Condition(StrEnum):
    """What is also true of a session, in the order in which it is shown."""

    DEGRADED = "degraded"
    STARTING = "starting"
    WAITING = "waiting"
    REPLAYING = "replaying"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Participant:
    """What conditions need to know of a component."""

    name: str
    state: str
    required: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What conditions need to know of a session; ``idle_after`` None means never stale.

    ``is_waited_for`` says that somebody has to decide or to say something.
    """

    state: State
    mode: Mode
    is_starting: bool
    participants: tuple[Participant, ...]
    last_activity_at: datetime
    idle_after: timedelta | None = None
    is_waited_for: bool = False


def derive(situation: Situation, *, now: datetime) -> list[Condition]:
    """The conditions that hold, in their order."""
    holds = {
        Condition.DEGRADED: bool(gone(situation.participants))
        and (situation.state is State.RUNNING or situation.is_starting),
        Condition.STARTING: situation.is_starting,
        Condition.WAITING: situation.is_waited_for,
        Condition.REPLAYING: situation.mode is Mode.HISTORICAL and situation.state is State.RUNNING,
        Condition.STALE: situation.idle_after is not None
        and now - situation.last_activity_at > situation.idle_after,
    }
    return [condition for condition, is_true in holds.items() if is_true]


def gone(participants: Iterable[Participant]) -> list[str]:
    """Names of the participants that are lost or failed."""
    return [p.name for p in participants if p.state in {"lost", "failed"}]


def missing(participants: Iterable[Participant]) -> list[str]:
    """Names of the required participants that a start still waits for."""
    return [p.name for p in participants if p.required and p.state not in {"ready", "running"}]
