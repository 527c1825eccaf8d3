"""The cells of an entry of the audit, on its list and on the page of its session."""

from datetime import datetime

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from sessions.admin.approval_cells import person
from streaming.models import AuditEntry


def at(row: AuditEntry, *, now: datetime) -> SafeString:
    """When it was asked for."""
    return marks.clock(row.at, now=now)


def command(row: AuditEntry, *, now: datetime) -> SafeString:
    """What was asked for."""
    return format_html('<span class="ae-mono">{}</span>', row.command)


def outcome(row: AuditEntry, *, now: datetime) -> SafeString:
    """What came of it: a refusal stands out, with its code."""
    if row.outcome == AuditEntry.Outcome.OK:
        return format_html("{}", "carried out")
    return format_html(
        '<span class="ae-condition" data-tone="bad">{}<span>refused: {}</span></span>',
        marks.shape("rejected"),
        row.code,
    )


def actor(row: AuditEntry, *, now: datetime) -> SafeString:
    """Who asked, and which way."""
    return format_html(
        '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
        person(row.actor),
        row.transport or "–",
    )


def target(row: AuditEntry, *, now: datetime) -> SafeString:
    """To what, in which session."""
    session = row.session.key if row.session else ""
    where = f"session {session}" if session and session != row.target else ""
    return format_html(
        '<span class="ae-two"><span class="ae-break">{}</span><span class="ae-key">{}</span></span>',
        row.target or "–",
        where,
    )


CELLS = {
    "at_cell": at,
    "command_cell": command,
    "outcome_cell": outcome,
    "actor_cell": actor,
    "target_cell": target,
}


def address(row: AuditEntry) -> str:
    """Where an entry is shown with all that it holds."""
    return reverse("admin:aegis_streaming_auditentry_change", args=[row.pk])
