import pytest

from streaming.core import shapes
from streaming.core.shapes import Shape


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, "null"),
        (True, "true or false"),
        (1, "number"),
        (1.5, "number"),
        ("a", "text"),
        ([], "[]"),
        ([1, 2.5, "a"], "[number or text]"),
        ({"b": 1, "a": None}, "{a: null, b: number}"),
        ({"levels": [["1", "2"]]}, "{levels: [[text]]}"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "{a: {b: {c: {d: {…}}}}}"),
        ([[[[[1]]]]], "[[[[[…]]]]]"),
    ],
)
def test_shape_has_kinds_and_no_values(value, shape):
    assert shapes.of(value) == shape


def test_shape_of_very_many_members_ends():
    shape = shapes.of({f"m{n:03}": 1 for n in range(30)})

    assert (shape.count("number"), shape[-4:]) == (24, ", …}")


def test_latest_shapes_come_first_and_know_where_they_were():
    records = [(1, {"a": 1}), (2, "x"), (3, {"a": 2}), (4, None)]

    assert shapes.latest(records) == [
        Shape("null", 4, 4, 1),
        Shape("{a: number}", 1, 3, 2),
        Shape("text", 2, 2, 1),
    ]


def test_only_so_many_shapes_are_told():
    records = [(n, {f"m{n}": 1}) for n in range(1, 20)]

    assert [one.first for one in shapes.latest(records)] == list(range(19, 9, -1))
