"""Making what integration tests start from, through the services that make it in life."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from aegis_project.kit.principal import ALL, Principal
from components.core.messages import Fault, Register
from components.models import Component
from components.services import registry, standing
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import creation, lifecycle
from sessions.services.creation import Draft
from streaming.models import Event, Lease

OPERATOR = Principal(
    kind="user", id="user:operator", label="operator", scopes=frozenset({ALL}), teams=None
)


def team(name: str) -> Group:
    return Group.objects.get_or_create(name=name)[0]


def member(*teams: Group, scopes: Sequence[str] = (ALL,), label: str = "member") -> Principal:
    """Somebody who belongs to these teams only."""
    return Principal(
        kind="user",
        id=f"user:{label}",
        label=label,
        scopes=frozenset(scopes),
        teams=frozenset(one.pk for one in teams),
    )


def narrowed(principal: Principal, *patterns: str) -> Principal:
    """The same principal with a say over these topics only."""
    return replace(principal, patterns=patterns)


def session(
    *, principal: Principal = OPERATOR, expected: Sequence[Expected] = (), **draft: Any
) -> Session:
    """A session in ``created``."""
    return creation.create(principal=principal, draft=Draft(**draft), expected=expected).session


PATHS = {
    State.CREATED: [],
    State.RUNNING: ["start"],
    State.PAUSED: ["start", "pause"],
    State.STOPPED: ["start", "stop"],
    State.FAILED: ["fail"],
    State.COMPLETED: ["complete"],
    State.ENDED: ["end"],
}


def session_in(state: State, **draft: Any) -> Session:
    """A session without components that commands brought into this state."""
    made = session(**draft)
    for command in PATHS[state]:
        arguments = {"error": {"code": "TEST"}} if command == "fail" else {}
        getattr(lifecycle, command)(principal=OPERATOR, session=made, **arguments)
    made.refresh_from_db()
    return made


def lease(*, seconds: float = 60) -> Lease:
    """The lease of a server process that lives for so long, or died so long ago."""
    return Lease.objects.create(expires_at=timezone.now() + timedelta(seconds=seconds))


def bearer(session: Session, *, component: Component | None = None) -> Principal:
    """Who shows a token of this session, or of one of its components."""
    return Principal(
        kind="component",
        id="credential:test",
        label="session token",
        session_id=str(session.pk),
        component_id=str(component.pk) if component else None,
        patterns=("**",),
        teams=frozenset({session.team_id}),
    )


def registration(*, session_token: str = "", **said: Any) -> Register:
    """The first frame of a control socket."""
    return Register(session_token=session_token, **said)


def registered(
    session: Session, name: str = "", *, lease: Lease | None = None, **said: Any
) -> Component:
    """A component that registered and has no data socket yet."""
    return registry.register(
        principal=bearer(session),
        registration=registration(name=name, **said),
        lease_id=lease.pk if lease else None,
    )


def joined(
    session: Session, name: str = "", *, lease: Lease | None = None, **said: Any
) -> Component:
    """A component that registered and has its data socket."""
    component = registered(session, name, lease=lease, **said)
    standing.identify(component_id=str(component.pk), fence=component.fence)
    component.refresh_from_db()
    return component


def readied(session: Session, name: str = "", **said: Any) -> Component:
    """A component that registered, has its data socket and said READY."""
    component = joined(session, name, **said)
    return standing.ready(component_id=str(component.pk), fence=component.fence)


def fault(code: str, message: str, *, temporary: bool = False) -> Fault:
    """What a component tells of its own error."""
    return Fault(error=code, message=message, temporary=temporary)


def states(session: Session) -> dict[str, str]:
    """Where the components of a session stand, by name, in the order in which they came."""
    return dict(Component.objects.of_session(session.pk).values_list("name", "state"))


# What a ledger says


def ledger(session: Session) -> list[Event]:
    """The events of a session, in their order."""
    return list(Event.objects.filter(log__session=session, log__name="ledger").order_by("seq"))


def events(session: Session) -> list[str]:
    """The types of a session's events, in their order."""
    return [event.type for event in ledger(session)]


def told(session: Session) -> list[tuple[str, dict[str, Any]]]:
    """The types and data of a session's events, in their order."""
    return [(event.type, json.loads(event.body)["data"]) for event in ledger(session)]
