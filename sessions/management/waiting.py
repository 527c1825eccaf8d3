"""Waiting at the command line until a session is in a state."""

import itertools

from django.utils import timezone

from sessions.core.conditions import Condition
from sessions.core.lifecycle import CLOSED, OPEN, State
from sessions.management.verbs import OutOfReach, PersonNeeded, TimedOut
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import lifecycle
from streaming import hints

# Whoever waits for another state will not see it from here without somebody's help.
DEAD_ENDS = frozenset({State.FAILED, *CLOSED})
LOOK_SECONDS = 1.0


def until(row: Session, state: State, *, timeout_seconds: float) -> Session:
    """
    The session once it is in the state.

    :raises TimedOut: when the time is over
    :raises PersonNeeded: when somebody has to decide or to answer before anything goes on
    :raises OutOfReach: when it failed, was closed, or its start was withdrawn meanwhile
    """
    was_starting = row.is_starting

    def is_decided() -> bool:
        # Where no server runs, nobody else carries the deadline of a start out.
        if row.is_starting:
            lifecycle.settle(session_id=row.pk)
        row.refresh_from_db()
        return (
            row.state == state or _is_lost(row, was_starting=was_starting) or _waits_for_people(row)
        )

    if not hints.wait_until(is_decided, timeout_seconds=timeout_seconds):
        raise TimedOut(f"{row} is still {row.state} after {timeout_seconds:g} s.")
    if row.state != state and _waits_for_people(row):
        raise PersonNeeded(f"{row} is {row.state} and waits for somebody.", session=row.key)
    if row.state != state:
        why = (row.error or {}).get("message", "")
        raise OutOfReach(
            f"{row} is now {row.state}" + (f": {why}" if why else "."),
            session=row.key,
            state=row.state,
            error=row.error,
        )
    return row


def _waits_for_people(row: Session) -> bool:
    return (
        row.state in OPEN and Condition.WAITING in sessions.view(row, now=timezone.now()).conditions
    )


def _is_lost(row: Session, *, was_starting: bool) -> bool:
    was_withdrawn = was_starting and row.state != State.RUNNING
    return not row.is_starting and (was_withdrawn or State(row.state) in DEAD_ENDS)


def until_a_hint() -> None:
    """Wait until something moved anywhere, or for as long as nobody should wait for a look."""
    looks = itertools.count()
    hints.wait_until(lambda: next(looks) > 0, timeout_seconds=LOOK_SECONDS)
