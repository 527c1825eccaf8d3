"""When a day, and the period of a budget, began; days and months are those of UTC."""

from datetime import UTC, datetime

KNOWN = ("day", "month", "always")


def midnight(now: datetime) -> datetime:
    """When the day began."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def began(period: str, *, now: datetime) -> datetime | None:
    """The start of this day or month; None for a budget that never begins anew."""
    today = midnight(now)
    return {"day": today, "month": today.replace(day=1)}.get(period)
