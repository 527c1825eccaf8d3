"""The part of history that a replay covers: from and to, inclusive, in unix milliseconds."""

from dataclasses import dataclass
from datetime import UTC, datetime

from aegis_project.kit.errors import ValidationFailed

OPEN_END = 2**53 - 1
Instant = int | str
"""A moment as clients write it: unix milliseconds, as a number or digits, or ISO 8601."""


@dataclass(frozen=True, slots=True)
class ClockRange:
    """Both ends belong to it (unix ms); 0 and ``OPEN_END`` leave an end open."""

    from_ms: int = 0
    to_ms: int = OPEN_END


def parse(*, from_: Instant | None = None, to: Instant | None = None) -> ClockRange:
    """
    The range between two instants as clients write them; ``None`` and 0 leave an end open.

    :raises ValidationFailed: when one cannot be read, or ``from`` is later than ``to``
    """
    found = ClockRange(instant(from_ or 0), instant(to or 0) or OPEN_END)
    if found.from_ms > found.to_ms:
        raise ValidationFailed(
            "A range begins before it ends.", **{"from": found.from_ms, "to": found.to_ms}
        )
    return found


def instant(value: Instant) -> int:
    """
    The unix milliseconds of an instant: digits are unix ms, else ISO 8601, UTC without a zone.

    :raises ValidationFailed: when it is neither, or lies before 1970 or after ``OPEN_END``
    """
    milliseconds = _read(value)
    if milliseconds is None or not 0 <= milliseconds <= OPEN_END:
        raise ValidationFailed(
            "An instant is written in unix milliseconds or ISO 8601.", value=str(value)[:64]
        )
    return milliseconds


def _read(value: Instant) -> int | None:
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if value.isdecimal() and value.isascii():
        return int(value) if len(value) <= 16 else None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return utc_ms(moment)


def utc_ms(moment: datetime) -> int:
    """The unix milliseconds of a moment, taken as UTC when it has no zone; never rounded up."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
