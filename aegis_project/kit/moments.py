"""Moments as programs read them."""

from datetime import UTC, datetime


def stamp(at: datetime) -> str:
    """An aware moment in ISO 8601: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
