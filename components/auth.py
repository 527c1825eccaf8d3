"""Who is asking: bearer credentials, cookies, and the demo operator of ``--open``."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from aegis_project.database import run_db
from aegis_project.kit.crowd import Crowd
from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal
from aegis_project.kit.seat import Seat
from components.core import scopes
from components.jobs import Links
from components.services import admissions, credentials, roles, standing
from streaming import hints
from streaming import node as nodes
from streaming.core.errors import OverCapacity
from streaming.hints import Hint

if TYPE_CHECKING:
    # REST framework's views import this module while they are imported.
    from rest_framework.views import APIView

# A revoked credential is refused within five seconds even if every hint of it is lost.
KNOWN_SECONDS = 1.0
MOST_KNOWN = 4096

OPEN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
)


def of_user(user: User, *, transport: str) -> Principal:
    """A signed-in person as a principal; superusers have every scope in every team."""
    return roles.principal_of(user, transport=transport)


def of_secret(secret: str, *, transport: str) -> Principal:
    """
    The principal that a bearer secret stands for; what was read of it counts for a second.

    Whoever revokes a credential hints at it, in whatever process: then it is read at once.

    :raises NotAuthenticated: for a secret that opens nothing
    """
    now, key = time.monotonic(), (credentials.digest(secret), transport)
    known = _known.get(key)
    if known is not None and known.until > now and known.is_usable():
        return known.principal
    found = credentials.verify(secret, transport=transport)
    principal = credentials.principal_of(found, transport=transport)
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[key] = Known(principal, found.expires_at, now + KNOWN_SECONDS)
    return principal


class Known(NamedTuple):
    """A principal that a secret was found to stand for, and until when that is not asked again."""

    principal: Principal
    expires_at: datetime | None
    until: float

    def is_usable(self) -> bool:
        """Whether the credential did not expire meanwhile."""
        return self.expires_at is None or self.expires_at > timezone.now()


# By the digest of the secret, so that memory holds none.
_known: dict[tuple[str, str], Known] = {}


def _forget(hint: Hint) -> None:
    if hint.kind in {"credential", "moved"}:
        _known.clear()


hints.listen(_forget)


def of_open(*, transport: str) -> Principal:
    """The demo operator: everything but credentials, programs, policies and users."""
    return Principal(
        kind="open",
        id="open:operator",
        label="operator",
        scopes=scopes.OPEN_SCOPES,
        teams=None,
        transport=transport,
    )


def refusal_of_open(*, client: str, headers: Mapping[str, str]) -> str:
    """Why a request may not act as the demo operator; empty when it may. Header names lower-case."""
    if not is_loopback(client):
        return "open mode answers loopback only"
    if any(name in headers for name in FORWARDED):
        return "open mode refuses forwarded requests"
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if host not in OPEN_HOSTS:
        return "open mode answers to localhost only"
    if not is_same_origin(headers.get("origin", ""), headers.get("host", "")):
        return "open mode refuses other origins"
    return ""


def is_loopback(client: str) -> bool:
    """Whether the peer's address is one of this machine's loopback addresses."""
    try:
        address = ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_same_origin(origin: str, host: str, *, scheme: str = "") -> bool:
    """Whether a browser's Origin is this server; programs send none, which is fine."""
    if not origin:
        return True
    parts = urlsplit(origin)
    return parts.netloc.lower() == host.lower() and parts.scheme in ({scheme} - {""} or HTTP)


HTTP = frozenset({"http", "https"})


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer aeg_…``."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        word, _, secret = request.headers.get("Authorization", "").partition(" ")
        if word.lower() != "bearer":
            return None
        return AnonymousUser(), of_secret(secret.strip(), transport="rest")

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="aegis"'


class OpenAuthentication(BaseAuthentication):
    """Under ``--open``, a loopback request without credentials acts as the demo operator."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        if not settings.ENVIRONMENT.open or request.headers.get("Cookie"):
            return None
        headers = {name.lower(): value for name, value in request.headers.items()}
        why = refusal_of_open(client=request.META.get("REMOTE_ADDR", ""), headers=headers)
        if why:
            raise PermissionDenied(f"Refused: {why}.")
        return AnonymousUser(), of_open(transport="rest")


class CookieAuthentication(SessionAuthentication):
    """A browser that signed in, with CSRF enforced."""

    def authenticate(self, request: Request) -> tuple[Any, Principal] | None:
        found = super().authenticate(request)
        return found and (found[0], of_user(found[0], transport="rest"))


class IsPrincipal(BasePermission):
    """Only somebody; what they may do is checked by the services."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.auth, Principal)


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an ASGI scope, names lower-case."""
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


_here = Crowd()


@contextmanager
def room_for(principal: Principal) -> Iterator[None]:
    """
    Let somebody have one more socket at this server, as long as the block lasts.

    :raises OverCapacity: if they have as many as one may have
    """
    most = settings.ENVIRONMENT.sockets_per_principal
    if not _here.enter(principal.id, most=most):
        raise OverCapacity(f"One may have {most} sockets.")
    try:
        yield
    finally:
        _here.leave(principal.id)


def may_be_open(scope: Mapping[str, Any]) -> bool:
    """Whether a socket may use what ``--open`` allows."""
    if not settings.ENVIRONMENT.open:
        return False
    client = (scope.get("client") or ("", 0))[0]
    return not refusal_of_open(client=client, headers=headers_of(scope))


class Registrar:
    """How the data socket learns whose it is; streaming itself knows no components."""

    async def authenticate(self, hello: dict[str, Any], scope: Mapping[str, Any]) -> Seat:
        """
        The seat of the component that says hello.

        :raises AegisError: for a token that opens nothing, or nobody who waits
        """
        return await run_db(admissions.take_seat, hello=hello, is_open=may_be_open(scope))

    def heard(self, seat: Seat) -> None:
        """A frame came: the component lives, if its control socket is here."""
        Links.of(nodes.required()).heard(seat.component_id)

    async def subscribed(self, seat: Seat) -> None:
        """The data socket has its first topics: one step more for whoever watches the handshake."""
        Links.of(nodes.required()).note_topics(seat.component_id, seat.fence)

    async def lost(self, seat: Seat) -> None:
        """The data socket is gone; state and READY stand, and the grace runs."""
        await run_db(standing.detach_data, component_id=seat.component_id, fence=seat.fence)
