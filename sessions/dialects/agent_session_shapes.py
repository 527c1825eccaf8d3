"""Sessions, statistics and refusals in the shapes and words of seed 001."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from msgspec import UNSET, Struct, UnsetType

from aegis_project.kit.errors import InternalError, InvalidState, ValidationFailed
from aegis_project.kit.moments import stamp
from sessions.core.dialects import AGENT_SESSION_VERBS, AGENT_SESSIONS, agent_session_kind
from sessions.core.errors import SessionAlreadyExists, SessionNotFound
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.selectors.sessions import View
from sessions.selectors.tallies import Tally

# `context.agents[0]` names a member of a member.
PARTS = re.compile(r"[^.\[\]]+")
WORDS = {verb: word for word, verb in AGENT_SESSION_VERBS.items()}


class AgentSessionShape(Struct, kw_only=True, rename="camel"):
    """
    A session. `sessionId` is its key; lists and answers to changes leave `context` out.

    `id`, `aegisState`, `aegisKind` (where `sessionType` has no word for it) and `conditions` say
    what the seed has no words for.
    """

    session_type: str
    session_id: str
    context: dict[str, Any] | UnsetType = UNSET
    state: str
    result: Any = UNSET
    error: str | UnsetType = UNSET
    created_at: str
    updated_at: str
    id: str
    aegis_state: str
    aegis_kind: str | UnsetType = UNSET
    conditions: list[str]


class AgentSessionShapes(Struct, kw_only=True):
    """
    Sessions, the newest first, and how many match in all.

    With more than `limit`, `next` is the `cursor` of those that follow.
    """

    count: int
    sessions: list[AgentSessionShape]
    next: str | UnsetType = UNSET


class StatisticsShape(Struct, kw_only=True, rename="camel"):
    """How many sessions there are, by the types and states that occur."""

    total: int
    by_type: dict[str, int]
    by_state: dict[str, int]


class RefusalShape(Struct, kw_only=True):
    """Why something was refused or failed."""

    error: str
    message: str | UnsetType = UNSET
    details: Any = UNSET


def word(state: str) -> str:
    """The seed's word for a state of a session."""
    return AGENT_SESSIONS[State(state)]


def listed(view: View) -> AgentSessionShape:
    """A session in a list."""
    row = view.session
    kind = agent_session_kind(row.kind)
    return AgentSessionShape(
        session_type=kind,
        session_id=row.key,
        state=word(row.state),
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        id=str(row.pk),
        aegis_state=row.state,
        aegis_kind=UNSET if kind == row.kind else row.kind,
        conditions=[condition.value for condition in view.conditions],
    )


def moved(row: Session) -> AgentSessionShape:
    """A session after a change: what came of it, without its context."""
    shape = listed(sessions.view(row, now=timezone.now()))
    shape.result = UNSET if row.result is None else row.result
    shape.error = _error(row.error)
    return shape


def whole(row: Session) -> AgentSessionShape:
    """A session by itself."""
    shape = moved(row)
    shape.context = row.context or UNSET
    return shape


def statistics(tallies: Iterable[Tally]) -> StatisticsShape:
    """What was counted, in the seed's words."""
    types, states = Counter[str](), Counter[str]()
    for kind, state, count in tallies:
        types[agent_session_kind(kind)] += count
        states[word(state)] += count
    return StatisticsShape(total=types.total(), by_type=dict(types), by_state=dict(states))


def refusal(said: Mapping[str, Any], *, session: str) -> RefusalShape:
    """A refusal of ours (code, message, details); ``session`` is how the address named it."""
    code, message, details = said["code"], said["message"], said["details"]
    match code:
        case ValidationFailed.code:
            return RefusalShape(error="Invalid request", details=[_issue(said)])
        case SessionNotFound.code:
            return RefusalShape(error=f"Session {session} not found")
        case SessionAlreadyExists.code:
            return RefusalShape(error=f"Session with ID {details['key']} already exists")
        case InvalidState.code:
            return _illegal(details)
        case InternalError.code:
            return RefusalShape(error="Internal server error", message=message)
    return RefusalShape(error=message, details={"code": code, **details})


def _error(kept: Mapping[str, Any] | None) -> str | UnsetType:
    if not kept:
        return UNSET
    return str(kept.get("message") or "") or UNSET


def _issue(said: Mapping[str, Any]) -> dict[str, Any]:
    fields = said["details"].get("fields")
    named = fields[0] if isinstance(fields, list) and fields else ""
    path = [int(part) if part.isdecimal() else part for part in PARTS.findall(named)]
    return {"code": said["code"], "path": path, "message": said["message"]}


def _illegal(details: Mapping[str, Any]) -> RefusalShape:
    """A move that is not legal, and which are, as far as the seed has words for them."""
    here, verb = word(details["from"]), details["command"]
    there = WORDS.get(verb, verb)
    allowed = [WORDS[one] for one in details["allowed"] if one in WORDS]
    return RefusalShape(
        error=f"Cannot go from {here} to {there}",
        details={"from": here, "command": there, "allowed": allowed},
    )
