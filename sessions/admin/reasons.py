"""Where the admin asks why: in production, whatever is done there."""

from aegis_project.kit.errors import ValidationFailed
from sessions.core.lifecycle import Environment
from sessions.models import Session

PRODUCTION = "A reason is required in production."


def is_needed(*sessions: Session) -> bool:
    """Whether one of these sessions is in production."""
    return any(one.environment == Environment.PRODUCTION for one in sessions)


def check(session: Session, reason: str) -> None:
    """
    Go on only with a reason where one is needed.

    :raises ValidationFailed: otherwise
    """
    if is_needed(session) and not reason:
        raise ValidationFailed(PRODUCTION)
