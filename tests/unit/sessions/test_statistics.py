from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import statistics

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def span(since=None, until=None, zone=UTC):
    return statistics.span(since=since, until=until, zone=zone, now=NOW)


def test_a_span_is_of_the_last_seven_days_unless_said():
    assert (span().since, span().until) == (NOW - 7 * DAY, NOW)
    assert span(since=NOW - DAY).until == NOW
    assert span(until=NOW - DAY).since == NOW - 8 * DAY
    brief = statistics.span(since=None, until=None, zone=UTC, now=NOW, length=DAY)
    assert brief.since == NOW - DAY


def test_the_span_before_is_as_long_and_ends_where_it_begins():
    before = span(since=NOW - 2 * DAY).before

    assert (before.since, before.until) == (NOW - 4 * DAY, NOW - 2 * DAY)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (NOW, NOW),
        (NOW + DAY, NOW),
        (NOW - 367 * DAY, NOW),
        (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC) + DAY),
        (datetime.max.replace(tzinfo=UTC) - DAY, datetime.max.replace(tzinfo=UTC)),
        (None, datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_span_that_cannot_be_is_refused(since, until):
    with pytest.raises(ValidationFailed):
        span(since, until)


def test_the_days_are_those_of_the_zone():
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)

    here = span(night, night + timedelta(minutes=15))
    there = span(night, night + timedelta(minutes=15), ZoneInfo("Europe/Paris"))
    whole = span(night - timedelta(hours=23.5), night + timedelta(minutes=30))

    assert here.days == whole.days == [date(2026, 3, 28)]
    assert there.days == [date(2026, 3, 29)]
    assert len(span(NOW - 366 * DAY).days) == 367


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [([], 0.5, None), ([3], 0.95, 3), ([1, 2, 3, 4], 0.5, 2), ([1, 2, 3, 4], 0.95, 4), ([1], 0, 1)],
)
def test_a_quantile_is_one_of_the_values(values, share, wanted):
    assert statistics.quantile(values, share) == wanted


def test_a_share_of_nothing_is_unknown():
    assert (statistics.share(1, of=3), statistics.share(0, of=0)) == (0.3333, None)


def test_rows_become_lines_below_a_heading():
    assert statistics.table([]) == ""
    assert statistics.table([{"a": 1, "b": None}, {"a": "x,y", "b": 2}]) == 'a,b\n1,\n"x,y",2\n'
