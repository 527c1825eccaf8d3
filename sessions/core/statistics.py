"""Spans of time that numbers are of, and what is told of many durations."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import takewhile

from aegis_project.kit.errors import ValidationFailed

USUAL = timedelta(days=7)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` until just before ``until``, in days of ``zone``."""

    since: datetime
    until: datetime
    zone: tzinfo

    @property
    def before(self) -> "Span":
        """The span of the same length that ends where this one begins."""
        return Span(self.since - (self.until - self.since), self.since, self.zone)

    @property
    def days(self) -> list[date]:
        """The days of the zone that it touches, the oldest first."""
        first = self.since.astimezone(self.zone).date()
        last = (self.until - timedelta(microseconds=1)).astimezone(self.zone).date()
        every = (first + timedelta(days=more) for more in range(LONGEST.days + 2))
        return list(takewhile(lambda day: day <= last, every))


def span(
    *,
    since: datetime | None,
    until: datetime | None,
    zone: tzinfo,
    now: datetime,
    length: timedelta = USUAL,
) -> Span:
    """
    The span that was asked for: until now unless said, and of this length unless it is said since when.

    :raises ValidationFailed: if it ends before it begins, or is longer than 366 days
    """
    try:
        end = until or now
        begin = since or end - length
        # What lies before is asked for, too, and in every zone.
        _ = begin - (end - begin) - timedelta(days=2), end + timedelta(days=2)
    except OverflowError:
        raise ValidationFailed("There is no such time.", fields=["since", "until"]) from None
    if not timedelta(0) < end - begin <= LONGEST:
        raise ValidationFailed(
            f"A span ends after it begins, and within {LONGEST.days} days.",
            fields=["since", "until"],
        )
    return Span(begin, end, zone)


def quantile(values: Sequence[float], share: float) -> float | None:
    """
    The smallest of these that so large a share is not above; None of nothing.

    ``values`` are in ascending order, ``share`` is from 0 to 1.
    """
    if not values:
        return None
    place = -(-len(values) * share // 1)
    return values[max(int(place), 1) - 1]


def share(part: int, *, of: int) -> float | None:
    """A part of a whole, from 0 to 1; None of nothing."""
    return round(part / of, 4) if of else None


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows with the same members as CSV with a heading; of nothing it is empty."""
    written = io.StringIO()
    if rows:
        lines = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        lines.writeheader()
        lines.writerows(rows)
    return written.getvalue()
