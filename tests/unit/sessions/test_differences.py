from sessions.core.differences import Difference, between


def test_equal_values_differ_nowhere():
    assert list(between({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]})) == []


def test_every_place_is_named_once():
    before = {"a": 1, "b": [1, 2, 3], "c": {"d/e": 1, "~": 2}, "gone": None}
    after = {"a": 1.0, "b": [1, 5], "c": {"d/e": 2, "~": 3}, "new": []}

    assert list(between(before, after)) == [
        Difference("/a", "changed", 1, 1.0),
        Difference("/b/1", "changed", 2, 5),
        Difference("/b/2", "removed", 3, None),
        Difference("/c/d~1e", "changed", 1, 2),
        Difference("/c/~0", "changed", 2, 3),
        Difference("/gone", "removed", None, None),
        Difference("/new", "added", None, []),
    ]


def test_another_type_is_another_value():
    assert list(between([1], {"0": 1})) == [Difference("", "changed", [1], {"0": 1})]
    assert list(between([1], [1, 2])) == [Difference("/1", "added", None, 2)]
