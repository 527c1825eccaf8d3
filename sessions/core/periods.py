"""When the period of a budget began."""

from datetime import UTC, datetime

KNOWN = ("day", "month", "always")


def began(period: str, *, now: datetime) -> datetime | None:
    """The start of this day or month (UTC); None for a budget that never begins anew."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"day": midnight, "month": midnight.replace(day=1)}.get(period)
