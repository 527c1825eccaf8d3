"""What the commands of seed 000 tell about components and about the server."""

from collections import Counter
from typing import Any

from django.utils import timezone

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components import selectors
from components.core.lifecycle import State as ComponentState
from components.models import Component
from sessions.core.dialects import DAEMON
from sessions.core.lifecycle import State
from sessions.dialects import payloads, shapes
from sessions.dialects.envelope import Refused
from sessions.models import Session
from sessions.selectors import sessions, tallies
from streaming import node
from streaming.selectors import leases

Payload = dict[str, Any]
Data = dict[str, Any]


def components(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_LIST."""
    principal.require("components:read")
    asked = payloads.read(payload, payloads.One, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    return {
        "session_id": str(row.pk),
        "components": [shapes.component(one) for one in selectors.parts(row.pk)],
        **shapes.truth(row),
    }


def component(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_GET."""
    row, found = _one(principal, payload)
    return {"session_id": str(row.pk), "component": shapes.component_alone(found)}


def describe(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_DESCRIBE."""
    row, found = _one(principal, payload)
    return {"session_id": str(row.pk), "component": shapes.component_described(found)}


def health(principal: Principal, _payload: Payload) -> Data:
    """HEALTH_CHECK: degraded while a session or component that you see is broken."""
    held, parts = tallies.by_state(principal)
    broken = held[State.FAILED] + parts[ComponentState.FAILED] + parts[ComponentState.LOST]
    return {
        "status": "degraded" if broken else "healthy",
        "uptime_seconds": _uptime(),
        "sessions": {"total": held.total(), **_by_word(held)},
        "components": {"total": parts.total(), **{one.value: parts[one] for one in ComponentState}},
    }


def _one(principal: Principal, payload: Payload) -> tuple[Session, Component]:
    principal.require("components:read")
    asked = payloads.read(payload, payloads.OneComponent, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    try:
        return row, selectors.find(asked.component_id, session_id=row.pk)
    except AegisError as error:
        raise Refused(error, {"session_id": str(row.pk)}) from None


def _by_word(held: Counter[str]) -> dict[str, int]:
    words = dict.fromkeys(DAEMON.values(), 0)
    for state, number in held.items():
        words[DAEMON[State(state)]] += number
    return words


def _uptime() -> int:
    here = node.current()
    since = leases.started_at(here.lease_id if here else None)
    return int((timezone.now() - since).total_seconds()) if since else 0
