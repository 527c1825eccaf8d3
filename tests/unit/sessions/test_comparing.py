import pytest

from sessions.core.comparing import Compared, compare, is_moment


@pytest.mark.parametrize(
    ("then", "now", "change"),
    [
        (5, 5, "same"),
        ("5.0", "5.00", "same"),
        ("62298.40", "62231.10", "\N{MINUS SIGN}0.11\N{NO-BREAK SPACE}%"),
        (30, 46, "+53.33\N{NO-BREAK SPACE}%"),
        (0, 16, "+16"),
        (0.001, 500, "+499.999"),
        (1767229379999, 1767229619999, "+240000"),
        ("1e999999", 1, "changed"),
        ("buy", "sell", "changed"),
        (True, False, "changed"),
        ("NaN", 1, "changed"),
        ([1], [2], "changed"),
        (None, 3, "changed"),
    ],
)
def test_a_change_is_told_as_people_compare(then, now, change):
    assert [one.change for one in compare(then, now)] == [change]


def test_objects_are_compared_field_by_field_in_the_order_of_the_first():
    found = compare({"bid": 1, "side": "buy", "old": 0}, {"side": "buy", "bid": 2, "new": 4})

    assert [(one.name, one.then, one.now, one.change) for one in found] == [
        ("bid", 1, 2, "+100.00\N{NO-BREAK SPACE}%"),
        ("side", "buy", "buy", "same"),
        ("old", 0, None, "gone"),
        ("new", None, 4, "new"),
    ]


def test_an_object_that_is_not_there_on_one_side_has_its_fields():
    assert [one.change for one in compare(None, {"a": 1}, has_then=False)] == ["new"]
    assert [one.change for one in compare({"a": 1}, None, has_now=False)] == ["gone"]


def test_what_is_no_object_on_one_side_is_compared_whole():
    assert compare({"a": 1}, 5) == [Compared("", {"a": 1}, 5)]
    assert compare({}, {}) == [Compared("", {}, {})]
    assert compare(None, None, has_then=False, has_now=False)[0].change == "gone"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("time", 1795338955224, True),
        ("closeTime", 1795338955224, True),
        ("updated_at", 1795338955224, True),
        ("ts_ms", 1795338955224, True),
        ("time", 1795338955, False),
        ("time", 1795338955224.5, False),
        ("time", True, False),
        ("time", "1795338955224", False),
        ("bid", 1795338955224, False),
        ("lifetime", 1795338955224, False),
        ("", 1795338955224, False),
    ],
)
def test_a_moment_is_told_by_its_name_and_its_size(name, value, expected):
    assert is_moment(name, value) is expected
