import pytest

from sessions.core import citations
from sessions.core.citations import Piece, Seen, Sight

KLINES = "klines.BTCUSDT.1m"
TOPICS = [KLINES, "klines.BTCUSDT.1", "orders"]
ROWS = [
    {
        "seq": 37,
        "ts": 1000,
        "data": {"close": "89303.23", "count": 110, "is_last": True, "symbol": "BTC"},
    },
    {"seq": 38, "ts": 2000, "data": {"open": "89303.23", "close": 86638.5, "bids": [[1.25, 8663]]}},
]


def seen(*rows):
    found = Seen()
    found.take(KLINES, rows or ROWS)
    return found


def linked(text, *, topics=TOPICS):
    return [one for one in citations.pieces(text, topics, seen()) if one.topic]


@pytest.mark.parametrize(
    "text", ["", "Nothing.", f"38 of {KLINES}, at 89303.23: klines.BTCUSDT.1 and orders#3!"]
)
def test_pieces_are_the_whole_text(text):
    assert "".join(one.text for one in citations.pieces(text, TOPICS, seen())) == text


@pytest.mark.parametrize("text", [f"38 of {KLINES}", f"{KLINES}#38"])
def test_a_record_is_named_by_its_number(text):
    assert linked(f"Kline {text} closed.") == [Piece(text, KLINES, Sight(KLINES, 38, 2000))]


def test_a_record_that_nobody_read_is_of_its_topic():
    assert linked("See 7 of orders.") == [Piece("7 of orders", "orders")]


@pytest.mark.parametrize("text", [KLINES, f"{KLINES}.", f"({KLINES})", f"{KLINES}: new"])
def test_a_topic_is_found_by_its_name(text):
    assert linked(text) == [Piece(KLINES, KLINES)]


@pytest.mark.parametrize("text", ["orders-old", "reorders", "orders.all", "my.orders"])
def test_a_name_within_another_is_none(text):
    assert linked(text) == []


def test_the_longest_name_is_meant():
    assert [one.text for one in linked(f"{KLINES} klines.BTCUSDT.1")] == [
        KLINES,
        "klines.BTCUSDT.1",
    ]


@pytest.mark.parametrize("text", ["89303.23", "89,303.23", "89303.230"])
def test_a_number_tells_of_the_first_record_with_it(text):
    expected = [Piece(text, KLINES, Sight(KLINES, 37, 1000))]

    assert linked(f"It fell from {text}.") == expected
    assert linked(f"From {text}, it fell ({text})") == expected * 2


@pytest.mark.parametrize(("text", "seq"), [("86638.5", 38), ("8663", 38)])
def test_numbers_in_whatever_depth_are_known(text, seq):
    assert [one.sight.seq for one in linked(text) if one.sight] == [seq]


@pytest.mark.parametrize("text", ["110", "1.25", "89303", "89303.23.1", "x89303.23", "-89303.23"])
def test_few_digits_and_parts_of_something_else_tell_of_nothing(text):
    assert linked(text) == []


@pytest.mark.parametrize("row", [None, {}, {"seq": "1", "ts": 1, "data": 1}, {"seq": 1, "ts": 2}])
def test_what_is_no_record_is_passed_over(row):
    assert seen(row).record(KLINES, 1) is None


def test_topics_are_those_of_which_something_was_read():
    assert Seen().topics == set()
    assert seen().topics == {KLINES}


def test_so_many_values_are_known_at_most(monkeypatch):
    monkeypatch.setattr(citations, "MOST_VALUES", 1)

    found = seen()

    assert found.value("89303.23") is not None
    assert found.value("86638.5") is None


@pytest.mark.parametrize(
    ("answer", "is_known"),
    [
        ({"topic": KLINES, "records": ROWS}, True),
        ({"topic": KLINES, "records": 2}, False),
        ([1], False),
        (None, False),
    ],
)
def test_an_answer_with_records_is_taken(answer, is_known):
    found = Seen()
    found.take_answer(answer)

    assert (found.record(KLINES, 38) is not None) is is_known


def test_numbers_of_a_topic_that_is_not_named_are_plain():
    assert linked("89303.23", topics=["orders"]) == []
