"""Who opens the socket of a session: by cookie, header, ``--open``, or in the first frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aegis_project.kit.errors import NotAuthenticated
from aegis_project.kit.principal import Principal
from components import auth
from sessions.dialects.door import shown
from sessions.models import Session
from sessions.selectors import sessions
from streaming.selectors import logs

TRANSPORT = "session-socket"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is there, in which session, and how far its ledger is."""

    principal: Principal
    session: Session
    head: int


def by_token(token: str) -> Principal:
    """
    The principal of a bearer secret.

    :raises NotAuthenticated: if it opens nothing
    """
    return auth.of_secret(token, transport=TRANSPORT)


def again(scope: Mapping[str, Any], token: str) -> Principal:
    """
    The principal, were the socket opened now.

    :raises NotAuthenticated: if it would not be
    """
    found = by_token(token) if token else shown(scope, transport=TRANSPORT)
    if found is None:
        raise NotAuthenticated
    return found


def enter(principal: Principal, reference: str) -> Visit:
    """
    Let a principal in.

    :raises PermissionDenied: without the scope events:read
    :raises SessionNotFound: if the session is not there for the principal
    """
    principal.require("events:read")
    session = sessions.find(principal, reference)
    return Visit(principal, session, logs.ledger_head(session.pk))
