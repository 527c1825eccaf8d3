"""Sessions, replies and messages in the shapes and words of seed 003."""

from typing import Any

from django.utils import timezone
from msgspec import Struct

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.moments import stamp
from sessions.core.dialects import BUS
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.selectors.sessions import View

CREATED, ENDED = "session_created", "session_ended"
EVENTS = {SessionEvent.CREATED.value: CREATED, SessionEvent.ENDED.value: ENDED}

MAX_WORD = 64
LONGEST_REFERENCE = 200


class Message(Struct, frozen=True):
    """One message to a daemon; over a socket with its name and a reference for the answer."""

    type: str
    data: dict[str, Any]
    daemon: str = ""
    ref: str = ""


def message(value: Any) -> Message:
    """
    The message in a decoded body.

    :raises ValidationFailed: for what is none
    """
    if not isinstance(value, dict):
        raise ValidationFailed("A message is an object of type and data.")
    type_, data = value.get("type"), value.get("data")
    if not isinstance(type_, str) or not 0 < len(type_) <= MAX_WORD:
        raise ValidationFailed("type must be a word of at most 64 characters.")
    if not isinstance(data, dict | None):
        raise ValidationFailed("data must be an object.")
    return Message(type_, data or {}, daemon=_text(value, "daemon"), ref=reference(value))


def reference(value: Any) -> str:
    """
    What a client calls its message.

    :raises ValidationFailed: for what is no text of at most 200 characters
    """
    return _text(value, "ref") if isinstance(value, dict) else ""


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > LONGEST_REFERENCE:
        raise ValidationFailed(f"{name} must be a text of at most 200 characters.")
    return found


def done(data: Any) -> dict[str, Any]:
    """The answer to a message that asked for something."""
    return {"success": True, "data": data}


def moved(row: Session) -> dict[str, Any]:
    """The answer to a message that moved the lever."""
    return {"success": True, **truth(row)}


def refused(error: str) -> dict[str, Any]:
    """The answer to a message that failed."""
    return {"success": False, "error": error}


def session(view: View) -> dict[str, Any]:
    """The metadata of a session."""
    row = view.session
    return {
        "id": str(row.pk),
        "type": row.environment,
        "owner": row.owner_label,
        "created": stamp(row.created_at),
        "lastActive": stamp(row.last_activity_at),
        "isActive": BUS[State(row.state)] == "active",
        **_truth(view),
    }


def session_alone(row: Session) -> dict[str, Any]:
    """The metadata of one session."""
    return session(sessions.view(row, now=timezone.now()))


def truth(row: Session) -> dict[str, Any]:
    """What one boolean leaves out: the state and the conditions."""
    return _truth(sessions.view(row, now=timezone.now()))


def _truth(view: View) -> dict[str, Any]:
    return {
        "aegisState": view.session.state,
        "conditions": [condition.value for condition in view.conditions],
    }
