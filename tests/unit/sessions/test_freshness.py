import msgspec
import pytest

from sessions.core import freshness
from sessions.core.freshness import Guard, Moved

ASKED, NOW = 100_000, 130_000


def known(value, *, ts=ASKED, seq=1):
    return {"book.BTC": {"value": value, "ts": ts, "seq": seq}}


def moved(guard: Guard, then, now) -> list[str]:
    found = freshness.moved(
        [guard], arguments={"symbol": "BTC"}, then=then, now=now, times=(ASKED, NOW)
    )
    return [one.why for one in found]


@pytest.mark.parametrize(
    ("bounds", "price", "why"),
    [
        ({"change": 2}, 102, []),
        ({"change": 2}, 102.5, ["moved"]),
        ({"percent": 2}, 98, []),
        ({"percent": 2}, 97.9, ["moved"]),
        ({"percent": 5, "change": 2}, 103, ["moved"]),
        ({}, 100, []),
        ({}, 100.1, ["moved"]),
        ({"change": 2}, "100", ["moved"]),
        ({"change": 2}, None, ["moved"]),
    ],
)
def test_number_may_move_within_its_bounds(bounds, price, why):
    guard = Guard(topic="book.{symbol}", path="price", **bounds)

    assert moved(guard, known({"price": 100}), known({"price": price})) == why


def test_text_has_to_stay_whatever_the_bounds_of_numbers_are():
    guard = Guard(topic="book.{symbol}", path="price", percent=5)

    assert moved(guard, known({"price": "a"}), known({"price": "b"})) == ["moved"]


@pytest.mark.parametrize(
    ("then_ts", "now_ts", "now_seq", "why"),
    [
        (ASKED, NOW - 5_000, 9, []),
        (ASKED, ASKED, 1, ["silent"]),
        (ASKED - 20_000, ASKED - 20_000, 1, []),
        (ASKED - 20_000, ASKED, 2, ["silent"]),
    ],
)
def test_input_may_not_fall_silent_unless_it_was_when_asked(then_ts, now_ts, now_seq, why):
    guard = Guard(topic="book.{symbol}", age_seconds=10)
    then, now = known(1, ts=then_ts), known(2, ts=now_ts, seq=now_seq)

    assert moved(guard, then, now) == why


def test_silence_and_distance_count_together():
    guard = Guard(topic="book.{symbol}", path="", age_seconds=10)
    with_path = Guard(topic="book.{symbol}", path="price", age_seconds=60, change=1)

    assert moved(guard, known(1), known(2, ts=NOW)) == []
    assert moved(with_path, known({"price": 1}), known({"price": 3}, ts=NOW)) == ["moved"]


def test_input_that_is_gone_has_moved_and_one_that_never_was_has_not():
    guard = Guard(topic="book.{symbol}")

    assert moved(guard, known(1), {}) == ["gone"]
    assert moved(guard, {}, known(1)) == []
    assert moved(guard, {}, {}) == []


def test_what_moved_says_what_it_was_and_is():
    guard = Guard(topic="book.BTC", path="price", change=1)

    found = freshness.moved(
        [guard],
        arguments={},
        then=known({"price": 1}),
        now=known({"price": 5}),
        times=(ASKED, NOW),
    )

    assert found == [Moved(topic="book.BTC", path="price", then=1, now=5, why="moved")]


def test_gone_input_is_shown_without_a_value():
    guard = Guard(topic="book.BTC", path="price")

    found = freshness.moved(
        [guard], arguments={}, then=known({"price": 1}), now={}, times=(ASKED, NOW)
    )

    assert found == [Moved(topic="book.BTC", path="price", then=1, now=None, why="gone")]


def test_topics_are_those_of_the_arguments_once_each():
    names = ["book.{symbol}", "book.{symbol}", "risk.{legs}", "risk"]
    arguments = {"symbol": "BTC.USD", "legs": [1]}

    assert freshness.topics(names, arguments) == ["book.BTC_USD", "risk.{legs}", "risk"]
    assert freshness.topics(["{topic}", "{legs}"], {"topic": "book.BTC", "legs": [1]}) == [
        "book.BTC",
        "{legs}",
    ]


def test_bound_of_a_number_needs_its_path():
    with pytest.raises(msgspec.ValidationError, match="need the path of a number"):
        msgspec.convert({"topic": "book", "percent": 1}, Guard)
