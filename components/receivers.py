"""What is noted when people sign in to the admin, sign out, or try to."""

from typing import Any

from django.contrib.auth import signals
from django.contrib.auth.models import User
from django.http import HttpRequest

from aegis_project.kit.principal import ANONYMOUS
from components import auth
from components.services import sign_ins

TRANSPORT = "admin"


def connect() -> None:
    """Listen to Django's own signals."""
    signals.user_logged_in.connect(signed_in, dispatch_uid="components.signed_in")
    signals.user_logged_out.connect(signed_out, dispatch_uid="components.signed_out")
    signals.user_login_failed.connect(refused, dispatch_uid="components.login_refused")


def signed_in(*, request: HttpRequest | None, user: User, **_: Any) -> None:
    """A person signed in by a request; what a program does with its own sessions is no sign-in."""
    if request is not None and (request_id := _id(request)):
        principal = auth.of_user(user, transport=TRANSPORT).via(TRANSPORT, request_id=request_id)
        sign_ins.signed_in(principal=principal, address=_address(request))


def signed_out(*, request: HttpRequest | None, user: User | None, **_: Any) -> None:
    """A person signed out by a request."""
    if request is not None and user is not None and (request_id := _id(request)):
        principal = auth.of_user(user, transport=TRANSPORT).via(TRANSPORT, request_id=request_id)
        sign_ins.signed_out(principal=principal, address=_address(request))


def refused(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Somebody was not let in: a wrong password, or too many of them."""
    if request is not None and (request_id := _id(request)):
        sign_ins.refused(
            asking=ANONYMOUS.via(TRANSPORT, request_id=request_id),
            username=str(credentials.get("username", ""))[:150],
            address=_address(request),
        )


def _id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))[:64]
