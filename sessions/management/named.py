"""Sessions that are named at the command line for a command."""

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.models import Session
from sessions.selectors import sessions
from streaming.services import commands


def session(principal: Principal, reference: str, *, of: str, is_dry: bool = False) -> Session:
    """
    The session that a command is ``of``.

    Where there is none for who asks, the audit has that as a refusal of this command, the same
    whether it is out of sight or not there at all; not of what only says what it would do.

    :raises SessionNotFound: if none answers
    :raises AmbiguousReference: if several do
    """
    try:
        return sessions.resolve(principal, reference)
    except AegisError as error:
        if not is_dry:
            commands.kept_out(error, command=of, principal=principal, target=reference)
        raise
