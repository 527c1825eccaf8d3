"""What the ledger of a session says of its moves."""

from collections.abc import Mapping
from typing import Any

from aegis_project.kit.errors import InternalError
from sessions.core import lifecycle
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import State
from sessions.models import Session
from streaming import hints
from streaming.services import ledger


def tell(session: Session, event: SessionEvent, *, actor: str, **data: Any) -> None:
    """Write one event of a session in the open transaction, and hint that its lever moved."""
    ledger.append(session_id=session.pk, type=event.value, actor=actor, **data)
    hints.send(hints.Hint("lever", str(session.pk)))


def begin(session: Session, *, actor: str, **data: Any) -> None:
    """Make the ledger of a new session, in which it says first that it was made."""
    ledger.begin(session_id=session.pk, type=SessionEvent.CREATED.value, actor=actor, **data)
    hints.send(hints.Hint("lever", str(session.pk)))


def tell_move(session: Session, *, previous: str, actor: str) -> None:
    """Write the events of a move from ``previous``; the names are those of the core types."""
    for event, data in _events(session, previous):
        tell(session, event, actor=actor, **data)


def _events(session: Session, previous: str) -> list[tuple[SessionEvent, dict[str, Any]]]:
    state = State(session.state)
    if state is State.RUNNING:
        return [(SessionEvent.ACTIVATED, {"from": previous, "activation": session.activation})]
    told: dict[str, Any] = {"state": session.state, "from": previous, "reason": session.reason}
    if state in lifecycle.CLOSED:
        return [(SessionEvent.ENDED, told | {"result": session.result})]
    if state is State.FAILED:
        return [
            (SessionEvent.ERROR, _described(session.error or {})),
            (SessionEvent.SUSPENDED, told),
        ]
    return [(SessionEvent.SUSPENDED, told)]


def _described(error: Mapping[str, Any]) -> dict[str, Any]:
    # Whoever fails a session may say anything; the event has these three members.
    rest = {name: value for name, value in error.items() if name not in {"code", "message"}}
    return {
        "code": error.get("code", InternalError.code),
        "message": error.get("message", ""),
        "details": error.get("details", rest),
    }
