import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.sources import clock_range
from streaming.sources.clock_range import OPEN_END, ClockRange


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (1_723_161_255_342, 1_723_161_255_342),
        ("1723161255342", 1_723_161_255_342),
        ("2024-08-08", 1_723_075_200_000),
        ("2024-08-08T23:54:15.342Z", 1_723_161_255_342),
        ("2024-08-08T23:54:15.342999", 1_723_161_255_342),
        ("2024-08-09T01:54:15.342+02:00", 1_723_161_255_342),
        ("2024-08-08 23:54:15", 1_723_161_255_000),
    ],
)
def test_instant_is_read_as_unix_ms(value, milliseconds):
    assert clock_range.instant(value) == milliseconds


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2024-13-01", "1969-12-31", -1, True, OPEN_END + 1, "9" * 40, "١٢٣", "1.5"],
)
def test_what_is_no_instant_is_refused(value):
    with pytest.raises(ValidationFailed, match="unix milliseconds or ISO 8601"):
        clock_range.instant(value)


@pytest.mark.parametrize("nothing", [None, 0, "0"])
def test_a_range_may_be_open_at_both_ends(nothing):
    assert clock_range.parse(from_=nothing, to=nothing) == ClockRange(0, OPEN_END)


def test_a_range_may_be_one_instant():
    assert clock_range.parse(from_=5, to="5") == ClockRange(5, 5)


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValidationFailed) as refusal:
        clock_range.parse(from_="2024-08-08", to=5)

    assert refusal.value.details == {"from": 1_723_075_200_000, "to": 5}
