"""Waiting, in an edge's own thread, for a session or a run to settle."""

from sessions.core.runs import State
from sessions.models import Run, Session
from sessions.selectors import tasks
from streaming import hints
from streaming.hints import Hint

GOES_ON = (State.QUEUED.value, State.WORKING.value)


def settled(session: Session, *, timeout_seconds: float) -> Session:
    """The session once no start is pending, or as it is when the time is over."""
    hints.wait_until(lambda: not _is_starting(session), timeout_seconds=timeout_seconds)
    session.refresh_from_db()
    return session


def worked(run: Run, *, timeout_seconds: float) -> Run:
    """The run once it is over or waits for somebody, or as it is when the time is over."""
    row = run

    def has_settled() -> bool:
        nonlocal row
        row = tasks.again(run)
        return row.state not in GOES_ON

    # What ends a run hints at it, what lets it wait hints at the lever of its session.
    about = {Hint("run", str(run.pk)), Hint("lever", str(run.session_id)), Hint("moved")}
    hints.wait_for(has_settled, about=about, timeout_seconds=timeout_seconds)
    return row


def _is_starting(session: Session) -> bool:
    return Session.objects.starting().filter(pk=session.pk).exists()
