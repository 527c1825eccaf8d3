"""The page Statistics: what there was of sessions in a span, as charts with their tables."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin.columns import Chart
from sessions.api.statistics import download
from sessions.api.statistics_documents import shown
from sessions.selectors import statistics
from sessions.selectors.statistics import Numbers, Wanted

NAME = "aegis_sessions_statistics_changelist"
RANGES = {
    "24h": ("24 h", timedelta(hours=24)),
    "7d": ("7 d", timedelta(days=7)),
    "30d": ("30 d", timedelta(days=30)),
    "90d": ("90 d", timedelta(days=90)),
}
CHARTS = {
    "runs": "Runs",
    "tokens": "Tokens of models",
    "cost": "US dollars",
    "tool_calls": "Tool calls",
    "approvals": "Approvals asked for",
    "messages": "Messages",
    "sessions": "Sessions made",
}


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The numbers of the sessions in sight; with ``file`` the days as CSV."""
    principal = asking(request)
    if not principal.allows("sessions:read"):
        raise PermissionDenied
    length = request.GET.get("range", "7d")
    length = length if length in RANGES else "7d"
    zone = request.GET.get("zone", "").strip()[:64] or "UTC"
    wanted = Wanted(length=RANGES[length][1], zone=zone)
    try:
        found = statistics.read(principal, wanted, is_fresh="fresh" in request.GET)
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
        zone = "UTC"
        found = statistics.read(principal, Wanted(length=wanted.length))
    if "file" in request.GET:
        return download(found.span, shown(found)["days"])
    context = {
        **admin.site.each_context(request),
        "title": "Statistics",
        "content_title": "Statistics",
        "is_fullwidth": "1",
        "range": length,
        "ranges": {word: title for word, (title, _) in RANGES.items()},
        "zone": zone,
        **_numbers(found),
    }
    return TemplateResponse(request, "admin/aegis/statistics.html", context)


def _numbers(found: Numbers) -> dict[str, Any]:
    numbers = shown(found)
    days = numbers["days"]
    return {
        "numbers": numbers,
        "at": found.at,
        "age": int((timezone.now() - found.at).total_seconds()),
        "totals": _totals(numbers),
        "charts": [
            {"chart": _chart(name, days), "rows": [(one["day"], one[name]) for one in days]}
            for name in CHARTS
            if days and days[0][name] is not None
        ],
    }


def _chart(name: str, days: list[dict[str, Any]]) -> Chart:
    return Chart(
        title=CHARTS[name],
        days=[one["day"] for one in days],
        values=[float(one[name]) for one in days],
        is_partial=True,
    )


def _totals(numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    before, runs = numbers["before"], numbers["runs"] or {}
    now = {
        "sessions": numbers["sessions"]["created"],
        "tokens": runs.get("tokens"),
        "cost": runs.get("cost"),
        **{
            name: (numbers[name] or {}).get("total")
            for name in ("messages", "runs", "tool_calls", "approvals")
        },
    }
    return [
        {"title": title, "now": _figure(now[name]), "before": _figure(before[name])}
        for name, title in CHARTS.items()
        if now[name] is not None
    ]


def _figure(value: Any) -> str:
    """A number as people read it; what was not counted is none."""
    if value is None:
        return "–"
    amount = float(value)
    return marks.number(amount) if amount == int(amount) else f"{amount:.4f}"
