"""Reading the clocks of historical sessions."""

from aegis_project.kit.errors import InvalidState
from aegis_project.kit.principal import Principal
from sessions.models import Replay, Session
from sessions.selectors import sessions


def find(principal: Principal, session: Session | str) -> tuple[Session, Replay]:
    """
    A session and its clock.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it has no clock of its own
    """
    principal.require("sessions:read")
    row = sessions.find(principal, session)
    replay = Replay.objects.filter(session=row).first()
    if replay is None:
        raise InvalidState(
            "This session has no clock of its own.",
            **{"from": row.state, "command": "clock", "allowed": row.legal()},
        )
    return row, replay
