"""The page Statistics: what there was of sessions in a span, as charts with their tables."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin.columns import Chart
from sessions.selectors import statistics
from sessions.selectors.statistics import Numbers, Wanted

NAME = "aegis_sessions_statistics_changelist"
SESSION = "admin:aegis_sessions_session_change"
TOPIC = "admin:aegis_streaming_log_topic"
TOOK = ("Runs", "Failed", "Tokens", "US dollars")
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


class Row(NamedTuple):
    """One thing that was counted: its name, where it is, what stands beside it, its figures."""

    name: str
    figures: list[Any]
    address: str = ""
    beside: str = ""


class Table(NamedTuple):
    """A table of such rows, by the name of its heading."""

    name: str
    title: str
    what: str
    columns: Sequence[str]
    rows: list[Row]
    says: str = ""


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
        named = {"Content-Disposition": f'attachment; filename="{found.file_name}"'}
        return HttpResponse(found.file, content_type="text/csv; charset=utf-8", headers=named)
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
    numbers = found.parts
    days = numbers["days"]
    return {
        "numbers": numbers,
        "at": found.at,
        "age": int((timezone.now() - found.at).total_seconds()),
        "totals": _totals(numbers),
        "waits": _waits(numbers["approvals"] or {}),
        "tables": [one for one in _tables(numbers) if one.rows],
        "charts": [
            {"chart": _chart(name, days), "rows": [(one["day"], one[name]) for one in days]}
            for name in CHARTS
            if days and days[0][name] is not None
        ],
    }


def _waits(approvals: Mapping[str, Any]) -> dict[str, str]:
    """How long people took, in words."""
    return {
        name: "–" if approvals.get(name) is None else marks.took(approvals[name])
        for name in ("p50_seconds", "p95_seconds", "waited_seconds")
    }


def _tables(numbers: Mapping[str, Any]) -> Iterator[Table]:
    """What there was most of, a table each; empty is what may not be read."""
    took = ("runs", "failed", "tokens", "cost")
    agents = [_row(one, one["agent"], took) for one in numbers["agents"] or []]
    yield Table("agents", "Agents", "Agent", TOOK, agents)
    busiest = [
        _row(one, one["name"] or one["key"], took, address=(SESSION, one["session"]))
        for one in numbers["busiest"] or []
    ]
    yield Table("busiest", "Sessions with the most runs", "Session", TOOK, busiest)
    tools = [
        _row(one, one["tool"], ("calls", "failed", "seconds"))
        for one in (numbers["tool_calls"] or {}).get("tools", [])
    ]
    yield Table("tools", "Tools", "Tool", ("Calls", "Failed", "Seconds"), tools)
    topics = numbers["topics"] or {"top": [], "total": 0, "recorded": 0}
    noisy = [
        _row(
            one,
            one["topic"],
            ("records",),
            address=(TOPIC, one["session"], one["topic"]),
            beside=one["key"],
        )
        for one in topics["top"]
    ]
    says = f"{topics['total']} topics, {topics['recorded']} recorded"
    yield Table("noisy", "Topics with the most records", "Topic", ("Records",), noisy, says)


def _row(
    one: Mapping[str, Any],
    name: str,
    figures: Sequence[str],
    *,
    address: Sequence[Any] = (),
    beside: str = "",
) -> Row:
    where = reverse(address[0], args=address[1:]) if address else ""
    return Row(name, [one[figure] for figure in figures], where, beside)


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
