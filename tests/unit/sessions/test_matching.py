import msgspec
import pytest

from sessions.core import matching
from sessions.core.matching import Condition

ORDER = {
    "symbol": "BTC-USD",
    "quantity": 5,
    "is_test": True,
    "legs": [{"qty": 1, "side": "buy"}, {"qty": 9, "side": "sell"}],
    "tags": ["a", {"b": 1}],
    "limits": {"low": 1, "high": 2},
    "note": None,
}


@pytest.mark.parametrize(
    ("path", "op", "value", "is_true"),
    [
        ("symbol", "eq", "BTC-USD", True),
        ("symbol", "ne", "BTC-USD", False),
        ("quantity", "eq", 5.0, True),
        ("quantity", "lt", 5, False),
        ("quantity", "le", 5, True),
        ("quantity", "gt", 4.5, True),
        ("quantity", "ge", 6, False),
        ("quantity", "gt", "4", False),
        ("symbol", "gt", "BTC", True),
        ("is_test", "eq", 1, False),
        ("is_test", "eq", True, True),
        ("is_test", "ge", 0, False),
        ("symbol", "in", ["ETH-USD", "BTC-USD"], True),
        ("symbol", "not_in", ["ETH-USD"], True),
        ("symbol", "contains", "USD", True),
        ("tags", "contains", {"b": 1}, True),
        ("tags", "contains", {"b": True}, False),
        ("quantity", "contains", 5, False),
        ("symbol", "like", "BTC-*", True),
        ("quantity", "like", "*", False),
        ("legs.0.qty", "eq", 1, True),
        ("legs.2.qty", "eq", 1, False),
        ("legs.qty", "eq", 1, False),
        ("quantity.deep", "eq", 1, False),
        ("legs.*.qty", "gt", 5, True),
        ("limits.*", "eq", 2, True),
        ("note", "eq", None, True),
        ("nothing", "ne", 1, False),
        ("nothing", "not_in", [1], False),
        ("legs", "eq", [{"qty": 1, "side": "buy"}, {"qty": 9, "side": "sell"}], True),
        ("legs", "eq", [], False),
        ("limits", "eq", {"low": 1}, False),
    ],
)
def test_condition_compares_what_stands_at_its_path(path, op, value, is_true):
    condition = Condition(path=path, op=op, value=value)

    assert matching.holds(condition, ORDER, of_each=False) is is_true


@pytest.mark.parametrize(
    ("path", "op", "is_true"),
    [
        ("note", "exists", True),
        ("note", "missing", False),
        ("legs.*.price", "exists", False),
        ("nothing", "missing", True),
    ],
)
def test_condition_asks_whether_something_is_there(path, op, is_true):
    assert matching.holds(Condition(path=path, op=op), ORDER, of_each=True) is is_true


def test_of_several_values_each_or_one_must_do():
    condition = Condition(path="legs.*.qty", op="lt", value=5)

    assert matching.holds(condition, ORDER, of_each=False)
    assert not matching.holds(condition, ORDER, of_each=True)


@pytest.mark.parametrize(
    ("text", "pattern", "is_like"),
    [
        ("orders.place", "orders.place", True),
        ("orders.place", "orders", False),
        ("orders.place", "*", True),
        ("", "*", True),
        ("orders.place", "orders.*", True),
        ("orders.place", "*.place", True),
        ("orders.place", "o*d*p*e", True),
        ("orders.place", "o*x*e", False),
        ("orders.place", "*.cancel", False),
        ("broker.place", "orders.*", False),
        ("aba", "ab*ba", False),
        ("abba", "ab*ba", True),
        ("ab\nc", "a*c", True),
        ("a.c", "a?c", False),
    ],
)
def test_star_is_any_text_and_nothing_else_is_special(text, pattern, is_like):
    assert matching.like(text, pattern) is is_like


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"path": "a", "op": "eq"}, "eq takes a value"),
        ({"path": "a", "op": "exists", "value": 1}, "exists takes no value"),
        ({"path": "a", "op": "in", "value": "x"}, "in takes a list"),
        ({"path": "a", "op": "like", "value": 1}, "like takes a text"),
        ({"path": ".".join("a" * 33), "value": 1}, "A path has at most 32 levels"),
    ],
)
def test_condition_that_means_nothing_is_refused(said, fault):
    with pytest.raises(msgspec.ValidationError, match=fault):
        msgspec.convert(said, Condition)
