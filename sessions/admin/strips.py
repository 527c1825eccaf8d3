"""The reason strip: why a session needs a look, the worst reason first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis_project import marks
from components.admin import ladder
from components.models import Component
from sessions.admin import words
from sessions.core.conditions import Condition
from sessions.models import Session
from sessions.selectors.sessions import View

EMPTY = SafeString("")


class Strip(NamedTuple):
    """One reason: its tone and shape, the bold first words, and the sentence."""

    tone: str
    shape: str
    lead: SafeString
    text: SafeString


def strips(view: View, components: Sequence[Component], now: datetime) -> list[Strip]:
    """All reasons, failed before starting before degraded."""
    found = [_failed(view.session, now)] if view.session.state == "failed" else []
    if view.session.is_starting:
        found.append(_starting(view, now))
    if Condition.DEGRADED in view.conditions:
        found += [
            _gone(component, now)
            for component in components
            if ladder.state_of(component, now=now) in {"lost", "failed"}
        ]
    return found


def _failed(session: Session, now: datetime) -> Strip:
    error = session.error or {}
    code = error.get("code", "")
    return Strip(
        "bad",
        "failed",
        format_html("Failed at {}.", marks.clock(session.state_changed_at, now=now)),
        format_html(
            "{} {}",
            error.get("message") or session.reason or "No reason was given.",
            format_html('<span class="ae-mono">{}</span>', code) if code else EMPTY,
        ),
    )


def _starting(view: View, now: datetime) -> Strip:
    deadline = view.session.start_deadline_at
    ends = (
        format_html(" It fails in {}.", marks.until_html(deadline, now=now)) if deadline else EMPTY
    )
    return Strip(
        "warn",
        "starting",
        SafeString("Starting."),
        format_html("Waits for {}.{}", _names(view.missing), ends),
    )


def _gone(component: Component, now: datetime) -> Strip:
    word = "required" if component.required else "optional"
    state = ladder.state_of(component, now=now)
    since = component.lost_at or ladder.since(component, now=now)
    ends = since + timedelta(seconds=words.grace_seconds())
    grace = (
        format_html(", grace ends in {}", marks.until_html(ends, now=now))
        if state == "lost" and ends > now
        else EMPTY
    )
    return Strip(
        "bad" if component.state == "failed" and component.required else "warn",
        "degraded",
        format_html("Degraded since {}.", marks.clock(since, now=now)),
        format_html("{} {} ({}{}).", component.name, state, word, grace),
    )


def _names(names: Sequence[str]) -> SafeString:
    return format_html_join(", ", "{}", ((name,) for name in names))
