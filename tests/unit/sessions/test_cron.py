from datetime import UTC, datetime

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import cron

# A Tuesday.
NOON = datetime(2026, 2, 3, 12, 30, 45, tzinfo=UTC)


def at(month: int, day: int, hour: int, minute: int, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("* * * * *", at(2, 3, 12, 31)),
        ("30 12 * * *", at(2, 4, 12, 30)),
        ("*/15 * * * *", at(2, 3, 12, 45)),
        ("5/20 * * * *", at(2, 3, 12, 45)),
        ("0 9-17/4 * * *", at(2, 3, 13, 0)),
        ("0 0 1 * *", at(3, 1, 0, 0)),
        ("0 0 31 * *", at(3, 31, 0, 0)),
        ("0 8 * * mon,fri", at(2, 6, 8, 0)),
        ("0 8 * * 7", at(2, 8, 8, 0)),
        ("0 8 * jan *", at(1, 1, 8, 0, year=2027)),
        # One of both days is enough.
        ("0 0 20 * wed", at(2, 4, 0, 0)),
        ("0 0 29 2 *", at(2, 29, 0, 0, year=2028)),
        ("@daily", at(2, 4, 0, 0)),
        ("@HOURLY", at(2, 3, 13, 0)),
    ],
)
def test_a_line_is_due_at_its_next_minute(line, due):
    assert cron.read(line).next_after(NOON) == due


def test_a_day_that_never_comes_is_never_due():
    assert cron.read("0 0 30 2 *").next_after(NOON) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/x * * * *",
        "-1 * * * *",
        "x * * * *",
        "@reboot",
    ],
)
def test_what_is_no_line_of_cron_is_refused(line):
    with pytest.raises(ValidationFailed):
        cron.read(line)
