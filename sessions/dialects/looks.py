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
from sessions.selectors import lists, sessions
from streaming import node
from streaming.models import Lease

Payload = dict[str, Any]
Data = dict[str, Any]


def components(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_LIST."""
    principal.require("components:read")
    asked = payloads.read(payload, payloads.One, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    found = Component.objects.of_session(row.pk)
    return {
        "session_id": str(row.pk),
        "components": [shapes.component(one) for one in found],
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
    rows = lists.readable(principal)
    held = Counter(rows.order_by().values_list("state", flat=True))
    of_open = Component.objects.filter(session__in=rows.filter(state__in=["running", "failed"]))
    parts = Counter(of_open.order_by().values_list("state", flat=True))
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
    lease_id = here.lease_id if here else None
    lease = Lease.objects.filter(pk=lease_id).first() if lease_id else None
    return int((timezone.now() - lease.started_at).total_seconds()) if lease else 0
