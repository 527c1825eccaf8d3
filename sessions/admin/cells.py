"""The cells of a session's row, on the page and when the row is read again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin import words
from sessions.models import Session
from sessions.selectors import odds
from sessions.selectors import sessions as reading
from sessions.selectors.odds import Odds
from sessions.selectors.sessions import View

# In lists at most two conditions are written out.
CONDITIONS_SHOWN = 2


def name(view: View, *, now: datetime) -> SafeString:
    """Name and key, and what is odd about the session."""
    session = view.session
    odd = words.odd(view)
    return format_html(
        '<span class="ae-two" data-row="{}"><span class="ae-name">{}{}</span>'
        '<span class="ae-key">{}{}{}</span></span>',
        session.pk,
        session.name or session.key,
        format_html(' <span class="ae-odd">{}</span>', marks.shape("late")) if odd else "",
        session.key if session.key != str(session.pk) else session.key[:8],
        format_html(' <span class="ae-odd">{}</span>', odd) if odd else "",
        format_html(" {}", marks.tags(session.tags)) if session.tags else "",
    )


def state(view: View, *, now: datetime) -> SafeString:
    """State chip and conditions."""
    return words.states(view, now=now, at_most=CONDITIONS_SHOWN)


def kind(view: View, *, now: datetime) -> SafeString:
    """What work it is."""
    return format_html("{}", view.session.kind)


def environment(view: View, *, now: datetime) -> SafeString:
    """Production stands out, the others do not."""
    return marks.environment(view.session.environment)


def participants(view: View, *, now: datetime) -> SafeString:
    """How many are there of how many expected."""
    total = len(view.participants)
    if not total:
        return marks.none("0")
    is_short = view.present_count < total and view.session.state == "running"
    return format_html(
        '<span class="ae-number ae-tone" data-tone="{}">{}/{}</span>',
        "warn" if is_short else "",
        view.present_count,
        total,
    )


def active(view: View, *, now: datetime) -> SafeString:
    """How long ago there was work."""
    return format_html(
        '<span class="ae-number">{}</span>',
        marks.since_html(view.session.last_activity_at, now=now),
    )


def owner(view: View, *, now: datetime) -> SafeString:
    """Whose it is."""
    session = view.session
    text = (session.owner.get_full_name() if session.owner else "") or session.owner_label
    return (
        format_html('<span class="ae-clip" title="{0}">{0}</span>', text) if text else marks.none()
    )


def waiting(found: Odds) -> SafeString:
    """How many decisions wait for people."""
    return _count(found.waiting, "people", "to decide")


def errors(found: Odds) -> SafeString:
    """How many errors there were in the last day."""
    return _count(found.errors, "bad", "error" if found.errors == 1 else "errors")


def _count(count: int | None, tone: str, what: str) -> SafeString:
    if not count:
        return marks.none()
    return format_html(
        '<b class="ae-number ae-tone" data-tone="{}">{}<span class="ae-of-card"> {}</span></b>',
        tone,
        marks.number(count),
        what,
    )


CELLS = {
    "name_cell": name,
    "state_cell": state,
    "kind_cell": kind,
    "environment_cell": environment,
    "participants_cell": participants,
    "active_cell": active,
    "owner_cell": owner,
}
COUNTS = {"waiting_cell": waiting, "errors_cell": errors}
COLUMNS = (
    "name_cell",
    "state_cell",
    "kind_cell",
    "environment_cell",
    "participants_cell",
    "waiting_cell",
    "errors_cell",
    "active_cell",
    "owner_cell",
)
"""The columns of the list as they stand."""


def rows(
    principal: Principal, sessions: Iterable[Session], *, now: datetime
) -> dict[UUID, dict[str, SafeString]]:
    """All cells of some rows by the name of their column, read in four more queries for all."""
    views = reading.views(sessions, now=now)
    counted = odds.of(principal, [view.session.pk for view in views], now=now)
    return {
        view.session.pk: {column: cell(view, now=now) for column, cell in CELLS.items()}
        | {column: cell(counted[view.session.pk]) for column, cell in COUNTS.items()}
        for view in views
    }
