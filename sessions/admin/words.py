"""How sessions and what happens to them are said in the admin."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.marks import Mark
from sessions.admin.work_words import EVENT, WORK, Data, Tell, reason, told
from sessions.core import tools
from sessions.core.conditions import Condition
from sessions.models import Session
from sessions.selectors.sessions import View

LONGEST = 160
CHECKPOINT = Mark("checkpoint", "neutral")
COMPONENT = marks.COMPONENT


class Sentence(NamedTuple):
    """An event in words: its mark, what happened, and what else there is to know."""

    mark: Mark
    what: str
    detail: str


def sentence(event_type: str, data: Data) -> Sentence:
    """One event of a ledger in words; a type that we do not know is shown raw."""
    tell = SENTENCES.get(event_type)
    if tell is None:
        raw = json.dumps(data, ensure_ascii=False, default=str)
        return Sentence(marks.UNKNOWN, event_type, _short(raw) if data else "")
    mark, what, detail = tell(data)
    return Sentence(mark, what, _short(detail))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _suspended(data: Data) -> tuple[Mark, str, str]:
    state = str(data.get("state", "suspended"))
    return marks.SESSION.get(state, marks.UNKNOWN), f"Session {state}", reason(data)


def _activated(data: Data) -> tuple[Mark, str, str]:
    activation = data.get("activation")
    detail = f"from {data.get('from', '–')}, activation {activation}" if activation else ""
    return marks.SESSION["running"], "Session runs", detail


def _requested(data: Data) -> tuple[Mark, str, str]:
    missing = ", ".join(data.get("missing") or [])
    return marks.CONDITION["starting"], "Start requested", missing and f"waits for {missing}"


def _repositioned(data: Data) -> tuple[Mark, str, str]:
    to = f"record {data['n']}" if data.get("n") else "the beginning"
    return marks.CONDITION["replaying"], "Clock set", f"to {to}"


def _checkpoint(verb: str) -> Tell:
    return lambda d: (CHECKPOINT, f"Checkpoint {verb}", str(d.get("label") or ""))


def _recovered(data: Data) -> tuple[Mark, str, str]:
    label = data.get("label") or f"position {data.get('at', '–')}"
    return marks.SESSION["paused"], "Session recovered", f"to {label}"


def _forked(data: Data) -> tuple[Mark, str, str]:
    return EVENT, "Forked", f"at position {data.get('at', '–')}, effects {data.get('effects')}"


def _error(data: Data) -> tuple[Mark, str, str]:
    return marks.SESSION["failed"], str(data.get("message", "Failed")), str(data.get("code", ""))


def _facets(data: Data) -> str:
    return ", ".join(str(data[k]) for k in ("kind", "mode", "environment") if data.get(k))


def _of_component(mark: Mark, verb: str, *facts: str) -> Tell:
    def tell(data: Data) -> tuple[Mark, str, str]:
        return mark, f"{data.get('name', 'component')} {verb}", told(data, facts)

    return tell


def _of_credential(verb: str) -> Tell:
    return lambda data: (EVENT, f"Token {verb}", str(data.get("name") or ""))


SENTENCES: dict[str, Tell] = {
    "session.created": lambda d: (marks.SESSION["created"], "Session created", _facets(d)),
    "session.activated": _activated,
    "session.suspended": _suspended,
    "session.ended": _suspended,
    "session.start_requested": _requested,
    "session.start_withdrawn": lambda d: (
        marks.SESSION["ended"],
        "Start withdrawn",
        f"by {d['by']}" if d.get("by") else "",
    ),
    "session.repositioned": _repositioned,
    "checkpoint.created": _checkpoint("taken"),
    "checkpoint.deleted": _checkpoint("removed"),
    "session.recovered": _recovered,
    "session.forked": _forked,
    "session.updated": lambda d: (
        EVENT,
        "Session changed",
        ", ".join(d.get("fields") or []),
    ),
    "error.occurred": _error,
    "component.attached": _of_component(COMPONENT["pending"], "expected", "role", "required"),
    "component.detached": _of_component(COMPONENT["stopped"], "detached"),
    "component.registered": _of_component(COMPONENT["registered"], "connected", "role", "topics"),
    "component.ready": _of_component(COMPONENT["ready"], "ready"),
    "component.running": _of_component(COMPONENT["running"], "runs"),
    "component.held": _of_component(marks.SESSION["paused"], "held"),
    "component.lost": _of_component(COMPONENT["lost"], "lost", "reason"),
    "component.failed": _of_component(COMPONENT["failed"], "failed", "reason"),
    "component.stopped": _of_component(COMPONENT["stopped"], "stopped", "reason"),
    "component.reported": _of_component(COMPONENT["late"], "reported an error", "code", "message"),
    "component.launched": _of_component(COMPONENT["pending"], "launched", "program"),
    "component.relaunched": _of_component(COMPONENT["pending"], "to begin anew", "program"),
    "component.exited": _of_component(COMPONENT["stopped"], "program ended", "reason"),
    "heartbeat.late": _of_component(COMPONENT["late"], "missed a beat"),
    "heartbeat.lost": _of_component(COMPONENT["lost"], "was silent too long"),
    "credential.issued": _of_credential("issued"),
    "credential.revoked": _of_credential("revoked"),
    **WORK,
}


def handle(session: Session) -> str:
    """What a session is called in few words: the key that somebody gave it, else its name."""
    is_given = session.key != str(session.pk)
    return session.key if is_given else session.name or session.key[:8]


def tool(name: str) -> SafeString:
    """The name of a tool: what it does, and, where a component offers it, whose it is."""
    what, whose = tools.parted(name)
    if not whose:
        return escape(name)
    return format_html(
        '<span title="{}">{}</span> <span class="ae-whose">of {}</span>', name, what, whose
    )


def states(view: View, *, now: datetime, at_most: int | None = None) -> SafeString:
    """The state chip with its time, then the conditions, the rest of them as a number."""
    session = view.session
    parts = [marks.chip(session.state, marks.SESSION, since=session.state_changed_at, now=now)]
    shown = view.conditions[:at_most]
    parts += [marks.condition(word, condition_text(word, view, now)) for word in shown]
    if len(shown) < len(view.conditions):
        parts.append(marks.none(f"+{len(view.conditions) - len(shown)}"))
    return marks.row(*parts)


def condition_text(word: str, view: View, now: datetime) -> str:
    """A condition in words, with the one number that belongs to it."""
    match word:
        case Condition.STARTING:
            required = [one for one in view.participants if one.required]
            return f"Starting {len(required) - len(view.missing)}/{len(required)}"
        case Condition.WAITING:
            return "Waiting on team"
        case Condition.STALE:
            idle = (now - view.session.last_activity_at).total_seconds()
            return f"Idle {marks.duration(idle)}"
        case Condition.REPLAYING:
            return _replay(view.session.config.get("source") or {})
    return ""


def _replay(source: Any) -> str:
    speed = source.get("speed") if isinstance(source, Mapping) else None
    return f"Replay {speed:g}×" if isinstance(speed, int | float) and speed else "Replay"


def odd(view: View) -> str:
    """What is odd about a session, in a few words; empty when nothing is."""
    session = view.session
    if session.state == "failed":
        return session.reason or str((session.error or {}).get("message", ""))
    gone = [one for one in view.participants if one.state in {"lost", "failed"}]
    if gone and Condition.DEGRADED in view.conditions:
        return f"{gone[0].name} {gone[0].state}"
    if session.is_starting and view.missing:
        return f"{view.missing[0]} not ready"
    return ""


def grace_seconds() -> float:
    """How long a lost component has to come back."""
    return float(settings.ENVIRONMENT.grace_seconds)
