"""Commands of dialects that ask for what is there already."""

from aegis_project.kit.principal import Principal
from sessions.models import Session
from sessions.services.outcome import Outcome
from streaming.services.commands import command


@command("session.stop", scope="sessions:control")
def let_be(*, principal: Principal, session: Session) -> Outcome:
    """
    Leave a session that never ran, or is closed, as it is.

    Seed 000 takes its STOP for done there. It is a command all the same: whoever gives it must
    be allowed to, and the audit knows of it.
    """
    return Outcome(session, session.state)


@command("session.keep", scope="sessions:control")
def keep(*, principal: Principal, session: Session) -> Outcome:
    """
    Leave a session as it is, because it reads already as the state that is asked for.

    It is a command all the same: whoever gives it must be allowed to, and the audit knows of it.
    """
    return Outcome(session, session.state)
