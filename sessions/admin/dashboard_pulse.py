"""The pulse of the installation in five lines: a small line each, a figure, and what it was before."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin import sparks, topic_words
from sessions.selectors import approvals, dashboard
from sessions.selectors.dashboard import DAY, HOUR, MINUTE
from streaming.hub import paces as pacing
from streaming.hub.paces import Pace

BINS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """
    One line of the pulse.

    ``about`` says over which time the figure and its line are; ``before`` how it differs from the
    same hour of yesterday, where that is known; ``last`` when the last of what is counted was.
    """

    name: str
    title: str
    figure: str
    about: str
    line: SafeString
    before: str = ""
    last: datetime | None = None

    @property
    def words(self) -> str:
        """The figure for where there is room for little more."""
        return f"{self.figure} {self.title.lower()}"


def rows(principal: Principal, paces: Mapping[str, Pace], *, now: datetime) -> list[Row]:
    """What the principal may know of: records and lags, events and errors, decisions."""
    total = pacing.together(paces.values())
    may_look = principal.allows("events:read")
    pulse = dashboard.pulse(principal, now=now) if may_look else None
    return [
        _records(total),
        *([_events(pulse.events, now)] if pulse else []),
        _lag(total),
        *([_decisions(principal, now)] if approvals.may_read(principal) else []),
        *([_errors(pulse, now)] if pulse else []),
    ]


def _records(total: Pace) -> Row:
    return Row(
        "records",
        "Records per second",
        marks.rate(total.rate or 0),
        "now, and the last two minutes",
        sparks.spark(total.rates),
    )


def _events(moments: Sequence[datetime], now: datetime) -> Row:
    recent = sum(one >= now - MINUTE for one in moments)
    return Row(
        "events",
        "Events per second",
        marks.rate(recent / 60),
        "the last minute, and the last ten",
        sparks.spark(bins(moments, now=now, span=10 * MINUTE)),
    )


def _lag(total: Pace) -> Row:
    return Row(
        "lag",
        "Lag p95",
        milliseconds(percentile(total.lags, 0.95)),
        "how old what subscribers lack is, over all topics",
        SafeString(""),
    )


def _decisions(principal: Principal, now: datetime) -> Row:
    today = dashboard.decided(principal, since=now - HOUR, until=now)
    yesterday = dashboard.decided(principal, since=now - DAY - HOUR, until=now - DAY)
    return Row(
        "approvals",
        "Approvals per hour",
        marks.number(len(today)),
        "decided in the last hour, against the same hour of yesterday",
        sparks.spark(bins(today, now=now, span=HOUR)),
        before=difference(len(today) - len(yesterday)),
    )


def _errors(pulse: dashboard.Pulse, now: datetime) -> Row:
    return Row(
        "errors",
        "Errors per hour",
        f"{'' if pulse.has_hour else 'over '}{marks.number(len(pulse.errors))}",
        "the last hour",
        sparks.spark(bins(pulse.errors, now=now, span=HOUR)),
        last=pulse.errors[-1] if pulse.errors else None,
    )


def bins(moments: Sequence[datetime], *, now: datetime, span: timedelta) -> list[float]:
    """How many moments are in each sixtieth of a span that ends now, the oldest first."""
    found = [0.0] * BINS
    for one in moments:
        place = BINS - 1 - int((now - one) / span * BINS)
        if 0 <= place < BINS:
            found[place] += 1
    return found


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that so large a share of all does not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(len(values) * share) - 1, 0)]


def milliseconds(seconds: float | None) -> str:
    """A lag as people read it; a dash where nobody is subscribed."""
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else topic_words.seconds_of(seconds)


def difference(value: int) -> str:
    """``+3``, ``−2``, and ``±0`` for the same."""
    return f"+{value}" if value > 0 else marks.number(value) if value else "±0"
