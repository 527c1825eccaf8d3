"""What the inbox says of itself: what waits with whom, what was decided, what agents ask."""

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin.approval_cells import person
from sessions.selectors import approvals as reading
from sessions.selectors import tool_calls

MOST_ASKED = 50


def parts(principal: Principal) -> dict[str, str]:
    """What moves above and below the list, by the name of its place."""
    now = timezone.now()
    counts = reading.tally(principal, now=now)
    return {
        "questions": questions(principal),
        "mine": _count(counts.mine),
        "team": _count(counts.team),
        "today": _count(counts.today, none="none"),
        "last": _last(principal, now=now),
    }


def questions(principal: Principal) -> SafeString:
    """What agents ask people, each with the way to where it is answered."""
    may = principal.allows("messages:read") and principal.allows("sessions:read")
    found = tool_calls.questions(principal, limit=MOST_ASKED) if may else []
    return render_to_string("admin/aegis/approvals_questions.html", {"questions": found})


def last_decided(principal: Principal, *, now: datetime) -> dict[str, Any] | None:
    """When somebody decided last, and who."""
    row = reading.last_decided(principal)
    if row is None:
        return None
    return {"at": marks.clock(row.decided_at, now=now), "by": person(row.decided_by)}


def _count(count: int, *, none: str = "0") -> str:
    if count >= reading.MOST_COUNTED:
        return f"{reading.MOST_COUNTED - 1}+"
    return str(count) if count else none


def _last(principal: Principal, *, now: datetime) -> SafeString:
    last = last_decided(principal, now=now)
    if last is None:
        return SafeString("")
    return format_html("Last decision {} by {}.", last["at"], last["by"])
