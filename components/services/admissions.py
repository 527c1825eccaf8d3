"""Letting components in: at the control socket by a register, at the data socket by a hello."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project import database
from aegis_project.kit.principal import Principal
from aegis_project.kit.seat import Seat
from aegis_project.prepared import Prepared
from components import selectors
from components.core.admission import Admission
from components.core.errors import ComponentAmbiguous, ComponentNotFound
from components.core.lifecycle import CONNECTED
from components.core.messages import Register
from components.core.tokens import Expiry
from components.models import Component
from components.services import credentials, registry, standing, uses
from streaming.core.errors import (
    ConnectionForbidden,
    PartnerLost,
    SessionGone,
    SessionOver,
    StreamError,
    TokenExpired,
    TokenInvalid,
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows a session token: the principal, and when the token ends."""

    principal: Principal
    expires_at: datetime | None = None

    @property
    def expiry(self) -> Expiry | None:
        """The token's end as the handshake counts it."""
        if self.expires_at is None:
            return None
        left = (self.expires_at - timezone.now()).total_seconds()
        return Expiry(at_ms=round(self.expires_at.timestamp() * 1000), in_seconds=left)


def bearer(secret: str, *, is_open: bool) -> Bearer:
    """
    Who shows this session token; with ``is_open`` the id of a session is its token.

    :raises TokenInvalid: for a token that was never one, or was revoked
    :raises TokenExpired: for one that has expired
    :raises ConnectionForbidden: for a credential that is of no session
    :raises SessionGone: if its session was deleted
    """
    found = credentials.look_up(secret)
    if found is None and is_open and selectors.has_session(secret):
        return Bearer(_open_principal(secret))
    if found is None or found.revoked_at is not None:
        raise TokenInvalid
    if not found.is_usable(at=timezone.now()):
        raise TokenExpired
    if found.session is None:
        raise ConnectionForbidden("This credential is of no session.")
    if found.session.deleted_at is not None:
        raise SessionGone
    uses.note(found, transport="socket")
    return Bearer(credentials.principal_of(found, transport="socket"), found.expires_at)


def _open_principal(session_id: str) -> Principal:
    return Principal(
        kind="component",
        id=f"open:{session_id}",
        label="open",
        session_id=str(UUID(session_id)),
        patterns=credentials.EVERY_TOPIC,
        teams=None,
        transport="socket",
    )


def admit(*, register: Register, lease_id: UUID | None, is_open: bool) -> tuple[Admission, int]:
    """
    The component that a register becomes, and its fence.

    :raises StreamError: for a token or topics that open nothing
    :raises ComponentNotFound: for a component that this token may not be
    """
    shown = bearer(register.session_token, is_open=is_open)
    component = registry.register(
        principal=shown.principal, registration=register, lease_id=lease_id
    )
    admission = Admission(
        component_id=str(component.pk),
        name=component.name,
        session_id=str(component.session_id),
        topics=tuple(component.topics),
        expiry=shown.expiry,
    )
    return admission, component.fence


def renew(*, secret: str, component_id: str, is_open: bool) -> Expiry | None:
    """
    The end of a token that shall follow another on one connection.

    :raises StreamError: for a token that opens nothing, or is of another session or component
    """
    shown = bearer(secret, is_open=is_open)
    who = shown.principal
    with database.atomic():
        component = Component.objects.locked(component_id)
        if who.session_id != str(component.session_id):
            raise ConnectionForbidden("This token is of another session.")
        if who.component_id not in {None, component_id}:
            raise ConnectionForbidden("This token is of another component.")
        component.token_id = who.credential_id
        component.save(update_fields=["token", "updated_at"])
    return shown.expiry


def take_seat(*, hello: dict[str, Any], is_open: bool) -> Seat:
    """
    The seat of the component whose data socket says hello; it is marked as connected.

    :raises StreamError: for a token that opens nothing, or a component without control socket
    :raises ComponentNotFound: for a component that this token may not be
    :raises ComponentAmbiguous: if it names none and not exactly one waits
    """
    shown = bearer(str(hello.get("session_token", "")), is_open=is_open)
    component = _waiting(shown.principal, str(hello.get("component_id") or ""))
    standing.identify(component_id=str(component.pk), fence=component.fence)
    return seat_of(component, shown.principal)


def _waiting(principal: Principal, component_id: str) -> Component:
    wanted = component_id or principal.component_id
    if wanted:
        return _named(principal, wanted)
    rows = Component.objects.of_session(principal.session_id or "").select_related("session")
    waiting = list(rows.connected().filter(is_data_connected=False)[:2])
    if len(waiting) == 1:
        return waiting[0]
    if waiting:
        raise ComponentAmbiguous
    raise _absence(principal, "No component of this session waits for its data socket.")


def _named(principal: Principal, wanted: str) -> Component:
    session_id = UUID(principal.session_id)
    found = _of_id(pk=UUID(wanted), session_id=session_id) if _is_uuid(wanted) else []
    component = next(iter(found), None)
    if component is None or principal.component_id not in {None, str(component.pk)}:
        raise ComponentNotFound(component_id=wanted)
    if component.state not in CONNECTED:
        raise _absence(principal, "This component has no control socket.")
    return component


_of_id = Prepared(
    lambda pk, session_id: Component.objects.filter(pk=pk, session_id=session_id).select_related(
        "session"
    )
)


def _absence(principal: Principal, message: str) -> StreamError:
    # Who is sent away with the first must not come back, with the second it should.
    is_open = selectors.is_session_open(principal.session_id or "")
    return PartnerLost(message) if is_open else SessionOver()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def seat_of(component: Component, shown: Principal) -> Seat:
    """What the data socket that shows this token must know of a component."""
    proto, token = component.proto, shown.credential_id or ""
    return Seat(
        component_id=str(component.pk),
        session_id=str(component.session_id),
        name=component.name,
        patterns=shown.patterns,
        topics=tuple(component.topics),
        fence=component.fence,
        is_historical=component.session.is_historical,
        extended=bool(proto),
        batch=bool(proto.get("batch")),
        window=int(proto.get("window", 0)),
        token_id="" if token == str(component.token_id) else token,
    )
