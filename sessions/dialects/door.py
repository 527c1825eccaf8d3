"""Who opens a socket of a dialect, as far as the request itself shows it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import parse_cookie

from aegis_project.kit.principal import Principal
from components import auth
from sessions.consumers import is_own_page, signed_in
from streaming import metrics


def shown(scope: Mapping[str, Any], *, transport: str) -> Principal | None:
    """
    The principal of a bearer secret, a cookie or ``--open``; None: of none of them.

    A cookie counts only where the Origin is exactly this server's.

    :raises NotAuthenticated: for a header or cookie that opens nothing
    """
    headers = auth.headers_of(scope)
    word, _, secret = headers.get("authorization", "").partition(" ")
    if word.lower() == "bearer":
        return auth.of_secret(secret.strip(), transport=transport)
    cookie = headers.get("cookie", "")
    if settings.SESSION_COOKIE_NAME in parse_cookie(cookie):
        is_ours = is_own_page(headers, scheme=scope.get("scheme", "ws"))
        return signed_in(cookie).via(transport) if is_ours else None
    return auth.of_open(transport=transport) if auth.may_be_open(scope) else None


def turned_away(scope: Mapping[str, Any]) -> None:
    """Count somebody who is not let in: a page that is not ours, or nobody."""
    headers = auth.headers_of(scope)
    is_page = settings.SESSION_COOKIE_NAME in parse_cookie(headers.get("cookie", ""))
    is_foreign = is_page and not is_own_page(headers, scheme=scope.get("scheme", "ws"))
    metrics.refusals.labels("socket", "origin" if is_foreign else "credential").inc()
