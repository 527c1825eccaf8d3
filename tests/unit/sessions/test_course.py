import json
from typing import Any

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


RISK: dict[str, Any] = {
    "value": {"position": "0.25", "price": "100.5", "book": "102"},
    "ts": 1,
    "seq": 1,
}


def test_of_what_was_pinned_two_that_are_near_each_other_come_first():
    then: dict[str, Any] = {"age": {"value": 5, "ts": 1, "seq": 1}, "risk": RISK}

    one = measured(then)

    assert one == Measured("risk", "price")
    assert course.beside(one, then=then) == Measured("risk", "book")
    assert course.beside(Measured("age", ""), then=then) is None
    assert (
        course.beside(Measured("zero", ""), then={"zero": {"value": 0, "ts": 1, "seq": 1}}) is None
    )


def test_what_stands_still_while_the_other_moves_is_stale():
    moves = [(ts, float(ts)) for ts in range(0, 30_000, 1000)]
    stands = [(0, 1.0), (1000, 2.0), *((ts, 3.0) for ts in range(2000, 30_000, 1000))]

    def since(points, other=moves, now=29_000):
        return course.still_since(points, other=other, now_ms=now)

    assert since(stands) == 2000
    assert since([(0, 3.0), (1000, 3.0)]) == 0
    assert since(stands, now=11_999) is None
    assert since(stands, other=[(ts, 1.0) for ts, _ in moves]) is None
    assert since(moves) is None
    assert since([]) is None
