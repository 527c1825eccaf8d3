"""The cells of an approval's row in the inbox, and the count of those that wait."""

import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from components.admin.asking import asking
from sessions.admin import words
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from sessions.selectors import approvals as reading

LONGEST = 90


def call(row: Approval, *, now: datetime) -> SafeString:
    """The tool and what it is to be called with."""
    return format_html(
        '<span class="ae-two" data-row="{}" data-session="{}" data-agent="{}"'
        ' data-environment="{}" data-risk="{}"><span class="ae-name">{}</span>'
        '<span class="ae-key">{}</span></span>',
        row.pk,
        row.session.key,
        row.run.agent_slug,
        row.session.environment,
        row.tool_call.risk,
        words.tool(row.tool_call.tool),
        preview(row.tool_call.arguments),
    )


def where(row: Approval, *, now: datetime) -> SafeString:
    """Which agent asks, in which session."""
    return format_html(
        '<span class="ae-two"><span>{}</span><span class="ae-key">{} {}</span></span>',
        row.run.agent_slug,
        marks.environment(row.session.environment),
        row.session.name or row.session.key,
    )


def risk(row: Approval, *, now: datetime) -> SafeString:
    """What it may cost."""
    return risk_word(row.tool_call.risk)


def state(row: Approval, *, now: datetime) -> SafeString:
    """Whether it waits, or how it was decided."""
    return marks.chip(row.state, marks.APPROVAL)


def left(row: Approval, *, now: datetime) -> SafeString:
    """How long there is to decide, or when that was done."""
    if not row.is_open:
        return marks.clock(row.decided_at, now=now)
    if row.clock_stopped_at is not None:
        return format_html("{}", "stands while paused")
    return marks.until_html(row.expires_at, now=now)


def claim(row: Approval, *, now: datetime) -> SafeString:
    """Who looks at it, or decided."""
    by = row.claimed_by if row.is_open else row.decided_by
    return format_html("{}", person(by)) if by else marks.none()


CELLS = {
    "call_cell": call,
    "where_cell": where,
    "risk_cell": risk,
    "state_cell": state,
    "left_cell": left,
    "claim_cell": claim,
}


def cells(row: Approval, *, now: datetime) -> dict[str, str]:
    """All cells of one row by the name of their column."""
    return {column: cell(row, now=now) for column, cell in CELLS.items()}


def preview(arguments: dict[str, Any]) -> str:
    """The arguments on one line, cut where it ends."""
    text = ", ".join(f"{name}: {shown(value)}" for name, value in arguments.items())
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else text


def shown(value: Any) -> str:
    """A value as people read it: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def risk_word(word: str) -> SafeString:
    """A risk in words; a high one stands out."""
    is_high = word == Risk.HIGH
    return format_html(
        '<span class="ae-condition" data-tone="{}">{}<span>{}</span></span>',
        "bad" if is_high else "neutral",
        marks.shape("high") if is_high else "",
        word.capitalize(),
    )


def person(actor: str) -> str:
    """Who an actor is, for people: the name of a person, everybody else with what they are."""
    kind, _, name = actor.removeprefix("system:").partition(":")
    if kind == "trigger":
        return "a trigger"
    return {"user": name, "role": f"every {name}"}.get(kind, actor)


def badge(request: HttpRequest) -> SafeString:
    """How many decisions wait, for the sidebar; hidden when none does."""
    count = reading.waiting(asking(request))
    return format_html(
        '<span class="ae-waiting" id="ae-waiting" data-count="{}"{}><span>{}</span>'
        '<span class="ae-said"> waiting</span></span>',
        count,
        "" if count else format_html("{}", " hidden"),
        "99+" if count >= reading.MOST_COUNTED else count,
    )
