"""What is broken or silent, each with the sentence that explains it and one action."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from components.admin import ladder
from components.models import Component
from sessions.admin import monitor, topic_cells, topic_words, words
from sessions.admin.monitor import Glance
from sessions.admin.topic_words import Seen
from sessions.models import Session
from sessions.selectors import dashboard

MOST = 8


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: its chip, its name, why, and where to go."""

    chip: SafeString
    name: str
    why: SafeString | str
    action: str
    address: str


def troubles(principal: Principal, glance: Glance, *, now: datetime) -> list[Trouble]:
    """Failed sessions, then components that are gone, then topics that are silent."""
    found = [_failed(one) for one in dashboard.failed(principal)]
    if principal.allows("components:read"):
        found += [_gone(one, now) for one in dashboard.gone(principal)]
    if principal.allows("topics:read"):
        silent = monitor.oddities(principal, glance).silent
        found += [_silent(one, now) for one in silent]
    return found[:MOST]


def _failed(session: Session) -> Trouble:
    error = session.error or {}
    return Trouble(
        marks.chip("failed", marks.SESSION),
        session.name or session.key,
        str(error.get("message") or session.reason or "No reason was given."),
        "Open session",
        reverse("admin:aegis_sessions_session_change", args=[session.pk]),
    )


def _gone(component: Component, now: datetime) -> Trouble:
    session: Any = component.session
    state = ladder.state_of(component, now=now)
    kind = "required" if component.required else "optional"
    since = component.lost_at or ladder.since(component, now=now)
    ends = since + timedelta(seconds=words.grace_seconds())
    is_waited_for = state == "lost" and ends > now
    return Trouble(
        marks.chip(state, marks.COMPONENT),
        component.name,
        format_html(
            "{} in {}{}.",
            kind,
            session.name or session.key,
            format_html(", grace ends in {}", marks.until_html(ends, now=now))
            if is_waited_for
            else format_html(", gone for {}", marks.since_html(since, now=now)),
        ),
        "Open component",
        reverse("admin:aegis_components_component_change", args=[component.pk]),
    )


def _silent(seen: Seen, now: datetime) -> Trouble:
    session = seen.session
    return Trouble(
        marks.chip("silent", marks.TOPIC),
        session.name or session.key,
        topic_words.silence(seen, now),
        "Open topic",
        topic_cells.address(seen),
    )
