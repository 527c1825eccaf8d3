"""Sessions and components in the shapes and words of seed 000."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from components import selectors
from components.core import lifecycle as component_lifecycle
from components.core.lifecycle import State as ComponentState
from components.models import Component
from sessions.core.dialects import DAEMON
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.selectors.sessions import View


def word(state: str) -> str:
    """The seed's word for a state of a session."""
    return DAEMON[State(state)]


def made(row: Session, secret: str) -> dict[str, Any]:
    """A session that was just made, with its token."""
    return {**_who(row), "created_at": row.created_at, **truth(row), "session_token": secret}


def listed(view: View) -> dict[str, Any]:
    """A session in a list."""
    return {**_who(view.session), **_times(view.session), **_count(view), **_truth(view)}


def standing(row: Session) -> dict[str, Any]:
    """A session by itself."""
    uptime = {"uptime_seconds": int(row.uptime_seconds(now=timezone.now()))}
    return {**_who(row), **uptime, **_times(row), **truth(row)}


def moved(row: Session, previous: str, **times: datetime | None) -> dict[str, Any]:
    """What a command of the lever did to a session."""
    return {
        "session_id": str(row.pk),
        "previous_state": word(previous),
        "current_state": word(row.state),
        **times,
        "components": components(row),
        **truth(row),
    }


def truth(row: Session) -> dict[str, Any]:
    """What the coarse words leave out: the state and the conditions."""
    return _truth(sessions.view(row, now=timezone.now()))


def components(row: Session) -> list[dict[str, Any]]:
    """The components of a session, in brief."""
    return [
        {
            "name": one.name,
            "state": component_word(one),
            "id": str(one.pk),
            "aegis_state": one.state,
        }
        for one in selectors.parts(row.pk)
    ]


def component(one: Component) -> dict[str, Any]:
    """A component in a list of them."""
    return {
        "id": str(one.pk),
        "name": one.name,
        "role": one.role,
        "required": one.required,
        "state": component_word(one),
        "topics": one.topics,
        "last_heartbeat_at": one.last_heartbeat_at,
        "aegis_state": one.state,
    }


def component_alone(one: Component) -> dict[str, Any]:
    """A component by itself: since when it runs, too."""
    runs = one.running_at if one.state == ComponentState.RUNNING else None
    uptime = int((timezone.now() - runs).total_seconds()) if runs else 0
    return {**component(one), "started_at": one.running_at, "uptime_seconds": uptime}


def component_described(one: Component) -> dict[str, Any]:
    """A component with what it said of itself and how its connections are."""
    return {
        **component_alone(one),
        "capabilities": one.capabilities,
        "version": one.version,
        "error": one.error,
        "connection_active": one.state in component_lifecycle.CONNECTED,
        "data_connected": one.is_data_connected,
        "heartbeat_ok": not one.is_late and one.lost_at is None,
        "attached_at": one.created_at,
        "registered_at": one.registered_at,
        "ready_at": one.ready_at,
        "stopped_at": one.stopped_at,
    }


def component_word(one: Component) -> str:
    """The seed's word for the state of a component."""
    grace = timedelta(seconds=settings.ENVIRONMENT.grace_seconds)
    is_over = one.lost_at is not None and timezone.now() - one.lost_at > grace
    return component_lifecycle.word(ComponentState(one.state), is_grace_over=is_over)


def _who(row: Session) -> dict[str, Any]:
    return {"id": str(row.pk), "name": row.name, "mode": row.mode, "state": word(row.state)}


def _times(row: Session) -> dict[str, Any]:
    return {
        "created_at": row.created_at,
        "started_at": row.started_at,
        "stopped_at": row.stopped_at,
    }


def _count(view: View) -> dict[str, Any]:
    return {"component_count": len(view.participants)}


def _truth(view: View) -> dict[str, Any]:
    return {
        "aegis_state": view.session.state,
        "conditions": [condition.value for condition in view.conditions],
    }
