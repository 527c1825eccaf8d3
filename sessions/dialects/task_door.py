"""Who opens a socket to an agent: by the same rules as over HTTP."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from aegis_project.database import run_db
from aegis_project.kit.errors import NotAuthenticated
from aegis_project.kit.principal import Principal
from components import auth
from sessions.consumers import is_own_page, signed_in

TRANSPORT = "tasks"


async def admit(scope: Mapping[str, Any]) -> Principal | None:
    """The principal of a socket: of its bearer secret, its cookie or ``--open``; None: of none."""
    return await run_db(_principal, scope)


def _principal(scope: Mapping[str, Any]) -> Principal | None:
    headers = auth.headers_of(scope)
    word, _, secret = headers.get("authorization", "").partition(" ")
    cookie = headers.get("cookie", "")
    try:
        if word.lower() == "bearer":
            return auth.of_secret(secret.strip(), transport=TRANSPORT)
        if settings.SESSION_COOKIE_NAME in parse_cookie(cookie):
            is_ours = is_own_page(headers, scheme=scope.get("scheme", "ws"))
            return signed_in(cookie).via(TRANSPORT) if is_ours else None
    except NotAuthenticated:
        return None
    return auth.of_open(transport=TRANSPORT) if auth.may_be_open(scope) else None
