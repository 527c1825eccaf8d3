"""Waiting at the command line until a session is in a state."""

from sessions.core.lifecycle import CLOSED, State
from sessions.management.verbs import OutOfReach, TimedOut
from sessions.models import Session
from sessions.services import lifecycle
from streaming import hints

# Whoever waits for another state will not see it from here without somebody's help.
DEAD_ENDS = frozenset({State.FAILED, *CLOSED})


def until(row: Session, state: State, *, timeout_seconds: float) -> Session:
    """
    The session once it is in the state.

    :raises TimedOut: when the time is over
    :raises OutOfReach: when it failed, was closed, or its start was withdrawn meanwhile
    """
    was_starting = row.is_starting

    def is_decided() -> bool:
        # Where no server runs, nobody else carries the deadline of a start out.
        if row.is_starting:
            lifecycle.settle(session_id=row.pk)
        row.refresh_from_db()
        return row.state == state or _is_lost(row, was_starting=was_starting)

    if not hints.wait_until(is_decided, timeout_seconds=timeout_seconds):
        raise TimedOut(f"{row} is still {row.state} after {timeout_seconds:g} s.")
    if row.state != state:
        why = (row.error or {}).get("message", "")
        raise OutOfReach(
            f"{row} is now {row.state}" + (f": {why}" if why else "."),
            session=row.key,
            state=row.state,
            error=row.error,
        )
    return row


def _is_lost(row: Session, *, was_starting: bool) -> bool:
    return not row.is_starting and (was_starting or State(row.state) in DEAD_ENDS)
