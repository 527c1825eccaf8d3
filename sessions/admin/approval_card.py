"""What the card of an approval shows: the call, why it was stopped, and what it rests on."""

from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string

from aegis_project import marks
from aegis_project.kit.moments import stamp
from aegis_project.kit.principal import Principal
from sessions.admin import approval_course, approval_inbox, approval_situation, events, words
from sessions.admin.approval_cells import cells, left, person, risk_word, shown
from sessions.core import tools
from sessions.core.freshness import Known
from sessions.core.policy import Who
from sessions.models import Approval, ToolCall
from sessions.selectors import approvals as reading
from sessions.selectors import timeline
from sessions.selectors.situation import Course

PARTS_AT = "admin/aegis/approval"
PARTS = ("queue", "head", "strip", "what", "situation", "who", "past")
QUEUE, MOMENT = 50, 5
SHORT = timedelta(seconds=60)


def context(
    row: Approval,
    principal: Principal,
    *,
    known: Known | None,
    course: Course | None,
    now: datetime,
) -> dict[str, Any]:
    """All that the card shows; ``known`` is what is known now of what it rests on."""
    measured = approval_situation.context(row, known, now=now)
    why = {one.topic: one.why for one in measured["inputs"]}
    topic = course.measured.topic if course else ""
    return {
        "approval": row,
        "call": row.tool_call,
        "tool": words.tool(row.tool_call.tool),
        "crumb": tools.parted(row.tool_call.tool)[0],
        "asked_by": person(row.run.requested_by),
        "state": marks.chip(row.state, marks.APPROVAL),
        "risk": risk_word(row.tool_call.risk),
        "environment_mark": marks.environment(row.session.environment),
        "may_decide": row.is_open and principal.allows("approvals:decide"),
        "is_gone": row.is_open and reading.is_requester_gone(row),
        "may_see_session": principal.allows("sessions:read"),
        "requested_at": marks.clock(row.requested_at, now=now),
        **_clock(row, now=now),
        **measured,
        **approval_course.context(row, course, why=why.get(topic, ""), now=now),
        **_outcome(row, principal, now=now),
        **_asked(row),
        "queue": _queue(principal, row, now=now),
        "inbox": approval_inbox.parts(principal),
        "precedents": [_precedent(one, now=now) for one in reading.precedents(row)],
        "claimed_by": person(row.claimed_by) if row.is_open else "",
        "is_mine": bool(row.claimed_by) and row.claimed_by == principal.actor,
    }


def moment(row: Approval) -> list[events.Row]:
    """What the ledger tells up to the moment of asking, newest first; it does not move any more."""
    if not row.seq:
        return []
    found = timeline.up_to(row.session_id, row.seq, limit=MOMENT)
    return events.in_words(row.session_id, found)


def parts(
    row: Approval,
    principal: Principal,
    *,
    known: Known | None,
    course: Course | None,
    now: datetime,
) -> dict[str, str]:
    """The parts of the card that change while one looks at it, by their name."""
    return render(context(row, principal, known=known, course=course, now=now))


def render(shown_now: dict[str, Any]) -> dict[str, str]:
    """The parts of what :func:`context` says."""
    return {name: render_to_string(f"{PARTS_AT}/{name}.html", shown_now) for name in PARTS}


def _clock(row: Approval, *, now: datetime) -> dict[str, Any]:
    is_short = row.clock_stopped_at is None and row.expires_at - now < SHORT
    return {
        "left": left(row, now=now),
        "is_stopped": row.clock_stopped_at is not None,
        "is_short": row.is_open and is_short,
        "expires_at": marks.clock(row.expires_at, now=now),
        "drains_from": stamp(row.requested_at),
        "drains_until": stamp(row.expires_at),
        "on_timeout": "it is approved" if row.on_timeout == "approve" else "it is refused",
    }


def _outcome(row: Approval, principal: Principal, *, now: datetime) -> dict[str, Any]:
    if row.is_open:
        return {}
    is_mine = row.decided_by == principal.actor
    return {
        "decided_by": "you" if is_mine else person(row.decided_by),
        "decided_at": marks.clock(row.decided_at, now=now),
        "by_person": row.decided_by.startswith("user:"),
        "call_state": marks.chip(row.tool_call.state, marks.TOOL_CALL),
        "run_state": marks.chip(row.run.state, marks.RUN),
        "asked_again": reading.asked_again(row),
    }


def _asked(row: Approval) -> dict[str, Any]:
    call = row.tool_call
    names = dict.fromkeys([*call.asked_arguments, *call.arguments])
    message = call.message
    return {
        "arguments": [_compared(call, name) for name in names],
        "is_edited": is_edited(row),
        "asked_digest": call.digest_of(call.asked_arguments),
        "why": why(row),
        "who": who(row),
        "words": message.content if message is not None else "",
    }


def _compared(call: ToolCall, name: str) -> dict[str, Any]:
    """An argument as it is carried out, and as it was asked for where that differs."""
    now, then = (
        shown(of[name]) if name in of else "" for of in (call.arguments, call.asked_arguments)
    )
    return {"name": name, "now": now, "then": then, "is_edited": now != then}


def _queue(principal: Principal, row: Approval, *, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "approval": one,
            "cells": cells(one, now=now),
            "claimed_by": person(one.claimed_by),
            "is_current": one.pk == row.pk,
        }
        for one in reading.soonest(principal, limit=QUEUE)
    ]


def _precedent(row: Approval, *, now: datetime) -> dict[str, Any]:
    return {
        "state": marks.chip(row.state, marks.APPROVAL),
        "by": "the system" if row.decided_by.startswith("system:") else person(row.decided_by),
        "then": row.tool_call.state,
        "reason": row.reason,
        "at": marks.clock(row.decided_at, now=now),
    }


def is_edited(row: Approval) -> bool:
    """Whether other arguments than those asked for are decided on."""
    return bool(row.tool_call.asked_arguments != row.tool_call.arguments)


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
