"""Who opens the socket of a session: by cookie, header, ``--open``, or in the first frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from aegis_project.kit.errors import NotAuthenticated
from aegis_project.kit.principal import Principal
from components import auth
from sessions.consumers import is_own_page, signed_in
from sessions.models import Session
from sessions.selectors import sessions
from streaming.models import Log

TRANSPORT = "session-socket"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is there, in which session, and how far its ledger is."""

    principal: Principal
    session: Session
    head: int


def by_scope(scope: Mapping[str, Any]) -> Principal | None:
    """
    The principal that the request itself shows; None: the first frame has to say it.

    A cookie counts only where the Origin is exactly this server's.

    :raises NotAuthenticated: for a header or cookie that opens nothing
    """
    headers = auth.headers_of(scope)
    word, _, secret = headers.get("authorization", "").partition(" ")
    if word.lower() == "bearer":
        return auth.of_secret(secret.strip(), transport=TRANSPORT)
    cookie = headers.get("cookie", "")
    if settings.SESSION_COOKIE_NAME in parse_cookie(cookie):
        is_ours = is_own_page(headers, scheme=scope.get("scheme", "ws"))
        return signed_in(cookie).via(TRANSPORT) if is_ours else None
    return auth.of_open(transport=TRANSPORT) if auth.may_be_open(scope) else None


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
    found = by_token(token) if token else by_scope(scope)
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
    return Visit(principal, session, Log.objects.ledger_of(session.pk).get().head)
