import json

import pytest

from sessions.core import course
from sessions.core.course import Measured
from sessions.core.freshness import Guard

BOOK = {"value": {"time": 1795338955224, "side": "buy", "bid": "62298.4"}, "ts": 1, "seq": 1}


def measured(then, *guards: Guard) -> Measured | None:
    return course.measured(guards, arguments={"symbol": "BTC"}, then=then)


def test_what_a_guard_watches_comes_first():
    then = {"age": {"value": 5, "ts": 1, "seq": 1}, "book.BTC": BOOK}

    assert measured(then, Guard(topic="book.{symbol}", path="bid")) == Measured("book.BTC", "bid")


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ({"book.BTC": BOOK}, Measured("book.BTC", "bid")),
        ({"age": {"value": 5, "ts": 1, "seq": 1}}, Measured("age", "")),
        ({"said": {"value": "high", "ts": 1, "seq": 1}}, None),
        ({"odd": {"value": {"a.b": 1}, "ts": 1, "seq": 1}}, None),
        ({"large": {"value": None, "ts": 1, "seq": 1}}, None),
        ({}, None),
    ],
)
def test_else_the_first_number_that_was_pinned_and_is_no_moment(then, expected):
    assert measured(then, Guard(topic="gone", path="bid")) == expected


def test_points_are_the_numbers_of_the_records():
    records = [(1, b'{"bid": 5}'), (2, b'{"ask": 6}'), (3, b'{"bid": "7.5"}')]

    assert course.points(records, "bid", read=json.loads) == [(1, 5.0), (3, 7.5)]
    assert course.points([(1, b"5")], "", read=json.loads) == [(1, 5.0)]
    assert course.points([], "bid", read=json.loads) == []


def test_many_are_thinned_and_end_with_the_last():
    records = [(ts, str(ts).encode()) for ts in range(1000)]

    found = course.points(records, "", read=json.loads)

    assert len(found) <= course.MOST_POINTS
    assert found[-1] == (999, 999.0)
    assert found == sorted(found)
