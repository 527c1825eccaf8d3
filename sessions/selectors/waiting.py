"""Waiting, in an edge's own thread, for a session to settle."""

from sessions.models import Session
from streaming import hints


def settled(session: Session, *, timeout_seconds: float) -> Session:
    """The session once no start is pending, or as it is when the time is over."""
    hints.wait_until(lambda: not _is_starting(session), timeout_seconds=timeout_seconds)
    session.refresh_from_db()
    return session


def _is_starting(session: Session) -> bool:
    return Session.objects.starting().filter(pk=session.pk).exists()
