"""Commands whose effect an edge waits for: of the lever, and what agents are asked."""

from django.utils import timezone

from aegis_project.kit.errors import AegisError, InvalidState
from sessions.core.errors import StartTimeout
from sessions.core.lifecycle import State
from sessions.models import Run, Session
from sessions.selectors import waiting
from sessions.services import lifecycle
from sessions.services.outcome import Outcome
from streaming import node


def settled(found: Outcome, *, timeout_seconds: float) -> Outcome:
    """
    What became of a start that waited, in the caller's thread; still pending after the timeout.

    The thread holds no database connection while it waits. A deadline that passed is carried
    out here, also where no server runs that would.

    :raises StartTimeout: if a required component did not become ready in time
    :raises InvalidState: if somebody withdrew the start
    """
    activation = found.session.activation
    row = waiting.settled(found.session, timeout_seconds=timeout_seconds)
    if row.start_deadline_at is not None and row.start_deadline_at <= timezone.now():
        lifecycle.settle(session_id=row.pk)
        row.refresh_from_db()
    # It may have run and been halted again before this thread looked.
    if row.is_starting or row.state == State.RUNNING or row.activation > activation:
        return Outcome(row, found.previous, is_pending=row.is_starting)
    raise _failure(row)


def seconds_left(row: Session) -> float:
    """How long a pending start can still wait, with a moment for whoever carries it out."""
    if row.start_deadline_at is None:
        return 0.0
    return max(0.0, (row.start_deadline_at - timezone.now()).total_seconds()) + 0.05


def worked(run: Run, *, timeout_seconds: float) -> Run:
    """
    A run when it is over or waits for somebody, else as it stands after the timeout.

    In the caller's thread, which holds no database connection while it waits. Where no server
    runs nobody waits.
    """
    if node.current() is None:
        timeout_seconds = 0
    return waiting.worked(run, timeout_seconds=timeout_seconds)


def _failure(row: Session) -> AegisError:
    error = row.error or {}
    if row.state == State.FAILED and error.get("code") == StartTimeout.code:
        return StartTimeout(error["message"], **error["details"])
    return InvalidState(
        f"The start was withdrawn; the session is {row.state}.",
        **{"from": row.state, "command": "start", "allowed": row.legal()},
    )
