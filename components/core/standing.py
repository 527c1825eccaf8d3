"""Where a component stands, as the process must know it that holds its sockets."""

from dataclasses import dataclass
from datetime import datetime

DETACHED = "detached"
"""Why a component is stopped that was taken out of its session."""


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What a process must know of a component whose sockets it holds.

    ``fault`` says what ends its connections: that its token is ``revoked`` or ``expired``, or that
    it was ``detached``. ``mark`` is another number when any of this is something else.
    """

    component_id: str
    session_id: str
    state: str
    fence: int
    is_data_connected: bool
    is_session_open: bool
    fault: str
    session_state: str
    mark: int


def token_fault(revoked_at: datetime | None, expires_at: datetime | None, *, at: datetime) -> str:
    """Why a token with these moments opens nothing any more; empty when it does."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= at else ""
