from datetime import UTC, datetime
from decimal import Decimal

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import limits, periods
from sessions.core.errors import BudgetExceeded
from sessions.core.limits import Used


def test_limits_are_kept_as_whole_numbers_and_decimal_texts():
    given = {"max_steps": 3, "max_tokens": None, "max_cost": 0.25}

    assert limits.check(given) == {"max_steps": 3, "max_tokens": None, "max_cost": "0.25"}


@pytest.mark.parametrize(
    "bad",
    [
        {"max_words": 1},
        {"max_steps": -1},
        {"max_steps": True},
        {"max_steps": None},
        {"max_tokens": "many"},
        {"max_cost": "free"},
        {"max_cost": True},
        {"max_cost": "NaN"},
        {"max_cost": -1},
    ],
)
def test_limits_that_cannot_be_are_refused(bad):
    with pytest.raises(ValidationFailed):
        limits.check(bad)


def test_the_later_layer_counts():
    found = limits.effective(
        {"max_steps": 5, "max_tokens": 100, "max_cost": "x"}, {"max_steps": 7, "max_tokens": None}
    )

    assert found == {**limits.DEFAULTS, "max_steps": 7}


@pytest.mark.parametrize(
    ("used", "name"),
    [
        (Used(steps=2, seconds=9.5, tokens=99, cost=Decimal("0.49")), None),
        (Used(steps=3), "max_steps"),
        (Used(seconds=10.0), "max_seconds"),
        (Used(tokens=100), "max_tokens"),
        (Used(cost=Decimal("0.5")), "max_cost"),
    ],
)
def test_a_limit_is_reached_when_nothing_is_left(used, name):
    given = {"max_steps": 3, "max_seconds": 10, "max_tokens": 100, "max_cost": "0.5"}

    assert limits.exceeded(given, used) == name


def test_nobody_goes_on_past_a_limit():
    with pytest.raises(BudgetExceeded) as refused:
        limits.require("session", {"max_tokens": 10}, Used(tokens=12))

    assert refused.value.details == {"of": "session", "limit": "max_tokens", "most": 10}
    limits.require("session", {"max_tokens": 10}, Used(tokens=9))


def test_runs_begin_each_other_only_so_deep():
    assert limits.deeper(0, {"max_depth": 1}) == 1
    with pytest.raises(BudgetExceeded):
        limits.deeper(1, {"max_depth": 1})


def test_a_session_counts_only_what_it_limits():
    assert limits.totals({"max_cost": 2, "words": 1}) == {"max_cost": "2"}


NOON = datetime(2026, 2, 3, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "begin"),
    [
        ("day", datetime(2026, 2, 3, tzinfo=UTC)),
        ("month", datetime(2026, 2, 1, tzinfo=UTC)),
        ("always", None),
    ],
)
def test_a_period_began_at_midnight(period, begin):
    assert periods.began(period, now=NOON) == begin
