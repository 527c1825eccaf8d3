"""The lever of a session: five verbs, always the same, always in this order."""

from dataclasses import dataclass
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.admin import reasons
from sessions.core.lifecycle import TRANSITIONS, State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import lifecycle
from sessions.services.outcome import Outcome

LABELS = {
    "start": ("Start", "play_arrow"),
    "pause": ("Pause", "pause"),
    "stop": ("Stop", "stop"),
    "complete": ("Complete", "task_alt"),
    "end": ("End…", "cancel"),
}
SERVICES: dict[str, Any] = {
    "start": lifecycle.start,
    "pause": lifecycle.pause,
    "stop": lifecycle.stop,
    "complete": lifecycle.complete,
    "end": lifecycle.end,
}
# What each verb does to the rest, in the words of its dialog.
EFFECTS = {
    "start": "Runs the session as soon as everybody required is ready.",
    "pause": "Holds it at a position. Sockets stay open, no data is delivered.",
    "stop": "Releases the participants. The session can be started again.",
    "complete": "Closes the session with its result and releases the participants.",
    "end": "Closes the session without a result and releases the participants.",
}
FINAL = ("complete", "end")


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the lever: whether it is legal now, and why not."""

    name: str
    label: str
    icon: str
    is_allowed: bool
    is_noop: bool
    why: str
    effect: str
    asks: bool
    needs_reason: bool


def verbs(session: Session) -> list[Verb]:
    """All five; legal are those of the API's ``allowed[]``."""
    legal = session.legal()
    is_production = reasons.is_needed(session)
    return [
        Verb(
            name=name,
            label=label,
            icon=icon,
            is_allowed=name in legal,
            is_noop=name in legal and _is_noop(session, name),
            why=_why(session, name, legal),
            effect=EFFECTS[name],
            asks=is_production or name in FINAL,
            needs_reason=is_production,
        )
        for name, (label, icon) in LABELS.items()
    ]


def _is_noop(session: Session, name: str) -> bool:
    if session.is_starting:
        return name == "start"
    return TRANSITIONS[State(session.state)][name] == session.state


def _why(session: Session, name: str, legal: list[str]) -> str:
    if name not in legal:
        return f"Cannot {name} while {session.state}."
    if _is_noop(session, name):
        return "Already starting." if session.is_starting else f"Already {session.state}."
    return EFFECTS[name]


def pull(*, principal: Principal, session_id: Any, verb: str, reason: str) -> Outcome:
    """
    Carry a verb out through its service.

    :raises ValidationFailed: for a verb that is not of the lever, or in production without reason
    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: if the verb is not legal now
    """
    if verb not in SERVICES:
        raise ValidationFailed(f"{verb[:40]} is not a verb of the lever.")
    session = sessions.find(principal, session_id)
    reasons.check(session, reason)
    outcome: Outcome = SERVICES[verb](principal=principal, session=session.pk, reason=reason)
    return outcome
