"""When a line of cron is due: minute, hour, day of the month, month, day of the week (UTC)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aegis_project.kit.errors import ValidationFailed

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
# A 29th of February is at most eight years away.
FARTHEST = timedelta(days=366 * 9)


@dataclass(frozen=True, slots=True)
class Cron:
    """
    A line that was read.

    Where both days are restricted, one of them is enough, as cron has it since ever.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool

    def next_after(self, moment: datetime) -> datetime | None:
        """The first minute after the moment at which it is due; None if that never comes."""
        at = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = at + FARTHEST
        while at < end:
            if at.month not in self.months:
                at = (at.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            elif not self._is_day(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at
        return None

    def _is_day(self, at: datetime) -> bool:
        is_day, is_weekday = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        if self.is_any_day or self.is_any_weekday:
            return is_day and is_weekday
        return is_day or is_weekday


def read(line: str) -> Cron:
    """
    A line of cron, or one of its nicknames (``@hourly``).

    :raises ValidationFailed: if it is none
    """
    fields = NICKNAMES.get(line.strip().lower(), line).lower().split()
    if len(fields) != 5:
        raise _unreadable(line)
    try:
        minutes, hours, days = _some(fields[0], 0, 59), _some(fields[1], 0, 23), fields[2]
        weekdays = frozenset(day % 7 for day in _some(fields[4], 0, 7, DAYS))
        return Cron(
            minutes=minutes,
            hours=hours,
            days=_some(days, 1, 31),
            months=_some(fields[3], 1, 12, MONTHS, base=1),
            weekdays=weekdays,
            is_any_day=days.startswith("*"),
            is_any_weekday=fields[4].startswith("*"),
        )
    except ValueError:
        raise _unreadable(line) from None


def _unreadable(line: str) -> ValidationFailed:
    return ValidationFailed(
        "A schedule is a line of cron: minute hour day month weekday.", field="schedule", line=line
    )


def _some(
    field: str, least: int, most: int, names: tuple[str, ...] = (), *, base: int = 0
) -> frozenset[int]:
    """The numbers that a field stands for: lists of ``*``, ``a``, ``a-b``, each with ``/step``."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, last = _span(span, least, most, names, base, has_step=bool(step))
        every = int(step) if step else 1
        if every < 1 or not least <= first <= last <= most:
            raise ValueError(part)
        found.update(range(first, last + 1, every))
    return frozenset(found)


def _span(
    text: str, least: int, most: int, names: tuple[str, ...], base: int, *, has_step: bool
) -> tuple[int, int]:
    if text == "*":
        return least, most
    begin, dash, end = text.partition("-")
    first = _number(begin, names, base)
    if dash:
        return first, _number(end, names, base)
    return first, most if has_step else first


def _number(text: str, names: tuple[str, ...], base: int) -> int:
    if text in names:
        return names.index(text) + base
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)
