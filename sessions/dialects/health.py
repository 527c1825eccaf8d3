"""HEALTH_CHECK of seed 000: of all that you see, of one session, of one component."""

from collections import Counter
from typing import Any

from django.utils import timezone

from aegis_project.kit.principal import Principal
from components import selectors
from components.core.lifecycle import CONNECTED
from components.core.lifecycle import State as ComponentState
from components.models import Component
from sessions.core.conditions import Condition
from sessions.core.dialects import DAEMON
from sessions.core.lifecycle import State
from sessions.dialects import looks, payloads, shapes
from sessions.models import Replay, Session
from sessions.selectors import sessions, tallies
from sessions.services import replays
from streaming import node
from streaming.selectors import leases, logs

Payload = dict[str, Any]
Data = dict[str, Any]

HEALTHY, DEGRADED, INACTIVE = "healthy", "degraded", "inactive"
BROKEN = frozenset({ComponentState.LOST, ComponentState.FAILED})


def check(principal: Principal, payload: Payload) -> Data:
    """HEALTH_CHECK: of the component or the session that it names, else of everything."""
    if payload.get("component_id") is not None:
        return of_component(principal, payload)
    return of_session(principal, payload) if payload.get("session_id") else of_all(principal)


def of_all(principal: Principal) -> Data:
    """Degraded while a session or component that you see is broken."""
    held, parts = tallies.by_state(principal)
    broken = held[State.FAILED] + parts[ComponentState.FAILED] + parts[ComponentState.LOST]
    return {
        "status": DEGRADED if broken else HEALTHY,
        "uptime_seconds": _uptime(),
        "sessions": {"total": held.total(), **_by_word(held)},
        "components": {"total": parts.total(), **{one.value: parts[one] for one in ComponentState}},
    }


def of_session(principal: Principal, payload: Payload) -> Data:
    """HEALTH_CHECK_SESSION: inactive while it neither runs nor starts, nor is broken or without files."""
    principal.require("sessions:read")
    principal.require("components:read")
    asked = payloads.read(payload, payloads.One, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    files = _files(row)
    is_short = bool(files) and files["data_files"]["files_missing"] > 0
    return {
        "status": DEGRADED if is_short else _status(row),
        "session": shapes.standing(row),
        "components": [_component(one) for one in selectors.parts(row.pk)],
        "data_stream": {"topic_count": len(logs.names(row.pk))},
        **files,
    }


def of_component(principal: Principal, payload: Payload) -> Data:
    """HEALTH_CHECK_COMPONENT: inactive before it registered and after it was let go."""
    row, found = looks.one(principal, payload)
    return {"status": _part_status(found), "session_id": str(row.pk), **_component(found)}


def _files(row: Session) -> Data:
    """What a historical session is replayed from; where that is on a disk is nobody's affair."""
    replay = Replay.objects.filter(session=row).first()
    found = replays.inventory(replay.source) if replay else None
    if replay is None or found is None:
        return {}
    told = {
        "data_path": replay.source.get("dataset"),
        "files_found": found.files,
        "files_missing": len(found.missing),
        "missing": found.missing,
    }
    return {"data_files": told}


def _status(row: Session) -> str:
    view = sessions.view(row, now=timezone.now())
    if row.state == State.FAILED or Condition.DEGRADED in view.conditions:
        return DEGRADED
    return HEALTHY if row.is_running or row.is_starting else INACTIVE


def _part_status(one: Component) -> str:
    if one.state in BROKEN or not _is_heard(one):
        return DEGRADED
    if one.state in {ComponentState.READY, ComponentState.RUNNING}:
        return HEALTHY
    return INACTIVE


def _component(one: Component) -> Data:
    alone = shapes.component_alone(one)
    at = one.last_heartbeat_at
    return {
        "id": alone["id"],
        "name": alone["name"],
        "state": alone["state"],
        "uptime_seconds": alone["uptime_seconds"],
        "last_heartbeat": at,
        "secs_since_heartbeat": int((timezone.now() - at).total_seconds()) if at else None,
        "heartbeat_ok": _is_heard(one),
        "connection_active": one.state in CONNECTED,
        "aegis_state": alone["aegis_state"],
    }


def _is_heard(one: Component) -> bool:
    return not one.is_late and one.lost_at is None


def _by_word(held: Counter[str]) -> dict[str, int]:
    words = dict.fromkeys(DAEMON.values(), 0)
    for state, number in held.items():
        words[DAEMON[State(state)]] += number
    return words


def _uptime() -> int:
    here = node.current()
    since = leases.started_at(here.lease_id if here else None)
    return int((timezone.now() - since).total_seconds()) if since else 0
