"""What the card of an approval shows: the call, why it was stopped, and what it rests on."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin.approval_cells import left, person, risk_word, shown
from sessions.core.freshness import Known
from sessions.core.policy import Who
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import sessions, situation


class Input(NamedTuple):
    """One topic that the decision rests on: then, now, and why that is too far."""

    topic: str
    then: str
    then_at: SafeString
    now: str
    now_at: SafeString
    why: str


def context(row: Approval, principal: Principal, *, now: datetime) -> dict[str, Any]:
    """All that the card shows."""
    known = situation.now(row) if row.is_open else None
    rests_on = inputs(row, known, now=now)
    may_see = sessions.visible(principal).filter(pk=row.session_id).exists()
    return {
        "approval": row,
        "call": row.tool_call,
        "state": marks.chip(row.state, marks.APPROVAL),
        "risk": risk_word(row.tool_call.risk),
        "environment": marks.environment(row.session.environment),
        "left": left(row, now=now),
        "arguments": pairs(row.tool_call.arguments),
        "asked": pairs(row.tool_call.asked_arguments) if is_edited(row) else [],
        "why": why(row),
        "who": who(row),
        "on_timeout": "it is approved" if row.on_timeout == "approve" else "it is refused",
        "inputs": rests_on,
        "has_moved": any(one.why for one in rests_on),
        "is_known": known is not None,
        "precedents": reading.precedents(row),
        "claimed_by": person(row.claimed_by),
        "decided_by": person(row.decided_by),
        "requested_at": marks.clock(row.requested_at, now=now),
        "decided_at": marks.clock(row.decided_at, now=now),
        "may_see_session": may_see and principal.allows("sessions:read"),
    }


def last_decided(principal: Principal) -> dict[str, Any] | None:
    """When somebody decided last, and who."""
    row = reading.last_decided(principal)
    if row is None:
        return None
    return {"at": marks.clock(row.decided_at, now=timezone.now()), "by": person(row.decided_by)}


def is_edited(row: Approval) -> bool:
    """Whether other arguments than those asked for are decided on."""
    return bool(row.tool_call.asked_arguments != row.tool_call.arguments)


def pairs(arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """The arguments by name, for people."""
    return [(name, shown(value)) for name, value in arguments.items()]


def why(row: Approval) -> str:
    """Why somebody is asked, in words."""
    policy, _, rule = row.rule.partition("/")
    if policy == "default":
        return "No rule is about such a call, so somebody decides."
    if policy == "tool":
        return "The tool asks each time."
    return f"The rule {rule} of the policy {policy} asks for a decision."


def who(row: Approval) -> str:
    """Who may decide, in words."""
    asked = Who(**row.who)
    parts = [f"whoever has {asked.permission}"]
    if asked.four_eyes:
        parts.append("but nobody who caused the run or decided on this call before")
    if asked.not_owner:
        parts.append("but not the owner of the session")
    return ", ".join(parts)


def inputs(row: Approval, known: Known | None, *, now: datetime) -> list[Input]:
    """What the decision rests on, then and now."""
    far = {one.topic: one.why for one in situation.moved(row, known) or []}
    found = []
    for topic in situation.topics_of(row):
        then, current = row.evidence.get(topic), (known or {}).get(topic)
        found.append(
            Input(
                topic,
                shown(then["value"]) if then else "nothing",
                _age(then, row.requested_at),
                shown(current["value"]) if current else "nothing",
                _age(current, now),
                far.get(topic, ""),
            )
        )
    return found


def _age(known: Any, at: datetime) -> SafeString:
    if not known:
        return marks.none()
    seconds = (at - datetime.fromtimestamp(known["ts"] / 1000, UTC)).total_seconds()
    return format_html("{} old", marks.duration(max(seconds, 0)))
