"""The same a day at a time, in the days of a zone."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import add
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Substr, TruncDate

from aegis_project.kit.principal import Principal
from sessions.core.statistics import Span
from sessions.selectors.counts import Scope, money


def by_day(at: Scope, may: Principal) -> list[dict[str, Any]]:
    """The same a day at a time, of all days of the span; null is what may not be read."""
    sets: dict[str, tuple[str, QuerySet[Any], str]] = {
        "sessions": ("sessions:read", at.sessions.filter(at.within("created_at")), "created_at"),
        "messages": ("messages:read", at.messages, "created_at"),
        "runs": ("runs:read", at.runs, "created_at"),
        "tool_calls": ("runs:read", at.tool_calls, "created_at"),
        "approvals": ("approvals:read", at.approvals, "requested_at"),
    }
    counted = {
        name: _daily(rows, field, at.span) if may.allows(scope) else None
        for name, (scope, rows, field) in sets.items()
    }
    spent = _spent(at) if may.allows("runs:read") else None
    return [
        {"day": day.isoformat()}
        | {name: None if one is None else one.get(day, 0) for name, one in counted.items()}
        | _of_day(day, spent)
        for day in at.span.days
    ]


def _daily(rows: QuerySet[Any], field: str, span: Span) -> dict[Any, int]:
    return {day: amounts[0] for day, amounts in _summed(rows, field, span, Count("pk")).items()}


def _spent(at: Scope) -> dict[Any, tuple[Any, ...]]:
    return _summed(at.runs, "created_at", at.span, Sum("token_count"), Sum("cost"))


def _summed(
    rows: QuerySet[Any], field: str, span: Span, *sums: Aggregate
) -> dict[date, tuple[Any, ...]]:
    """Sums by day of the zone, of days that have any."""
    named = {f"sum_{place}": one for place, one in enumerate(sums)}
    if connection.vendor == "postgresql":
        days = rows.order_by().values_list(TruncDate(field, tzinfo=span.zone))
        return {day: tuple(amounts) for day, *amounts in days.annotate(**named)}
    # SQLite asks Python for the day of each row; what it keeps begins with day and time in UTC.
    digits = len("2026-01-01 00") if _is_of_hours(span) else len("2026-01-01 00:00")
    begins = rows.order_by().values_list(Substr(Cast(field, TextField()), 1, digits))
    found: dict[date, tuple[Any, ...]] = {}
    for begin, *amounts in begins.annotate(**named):
        day = datetime.fromisoformat(f"{begin}+00:00").astimezone(span.zone).date()
        before = found.get(day)
        found[day] = tuple(map(add, before, amounts)) if before else tuple(amounts)
    return found


def _of_day(day: Any, spent: Mapping[Any, tuple[Any, ...]] | None) -> dict[str, Any]:
    if spent is None:
        return {"tokens": None, "cost": None}
    tokens, cost = spent.get(day, (0, Decimal(0)))
    return {"tokens": tokens, "cost": money(cost)}


def _is_of_hours(span: Span) -> bool:
    """Whether the days of the zone begin at whole hours of UTC."""
    offsets = (at.astimezone(span.zone).utcoffset() for at in (span.since, span.until))
    return all(offset is not None and not offset % timedelta(hours=1) for offset in offsets)
