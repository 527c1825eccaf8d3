"""Conditions on the arguments of a tool call: a path, an operator and a value to compare with."""

import operator
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

MAX_DEPTH = 32
EACH = "*"

Operator = Literal[
    "eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "contains", "like", "exists", "missing"
]
# They ask whether something is there, and compare it with nothing.
ALONE = frozenset({"exists", "missing"})
LISTS = frozenset({"in", "not_in"})


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What must be true of the arguments.

    ``path`` goes down by names and numbers with dots between, ``*`` is each element: ``legs.*.qty``.
    ``like`` compares a text with a pattern in which ``*`` is any text. Numbers are compared with
    numbers and texts with texts; between others no order holds, and true is not 1.
    """

    path: Annotated[str, Meta(min_length=1, max_length=200)]
    op: Operator = "eq"
    value: Any | UnsetType = UNSET

    def __post_init__(self) -> None:
        if len(self.path.split(".")) > MAX_DEPTH:
            raise ValueError(f"A path has at most {MAX_DEPTH} levels")
        if (self.value is UNSET) is not (self.op in ALONE):
            raise ValueError(f"{self.op} takes {'no' if self.op in ALONE else 'a'} value")
        if self.op in LISTS and not isinstance(self.value, list):
            raise ValueError(f"{self.op} takes a list")
        if self.op == "like" and not isinstance(self.value, str):
            raise ValueError("like takes a text")


def holds(condition: Condition, arguments: Any, *, of_each: bool) -> bool:
    """
    Whether the condition is true of these arguments.

    Where a path leads to several values, ``of_each`` asks for all of them, else one is enough.
    Nothing is true of a value that is not there, but that it is missing.
    """
    found = list(values(arguments, condition.path))
    if condition.op in ALONE:
        return bool(found) is (condition.op == "exists")
    is_true = COMPARISONS[condition.op]
    quantify = all if of_each else any
    return bool(found) and quantify(is_true(one, condition.value) for one in found)


def values(arguments: Any, path: str) -> Iterator[Any]:
    """What stands at a path: nothing, a value, or with ``*`` several."""
    found = [arguments]
    for level in path.split("."):
        found = [inner for one in found for inner in _down(one, level)]
    yield from found


def _down(value: Any, level: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if level in value:
            yield value[level]
        elif level == EACH:
            yield from value.values()
    elif isinstance(value, list):
        if level == EACH:
            yield from value
        elif level.isascii() and level.isdigit() and len(level) < 10 and int(level) < len(value):
            yield value[int(level)]


def equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def like(text: str, pattern: str) -> bool:
    """Whether a text is of a pattern in which ``*`` is any text, also none."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    last, place = rest.pop(), len(first)
    if not text.startswith(first) or not text.endswith(last):
        return False
    # Each piece at its first place leaves most room for those behind it: no way back is needed.
    for piece in rest:
        place = text.find(piece, place) + len(piece)
        if place < len(piece):
            return False
    return len(text) - len(last) >= place


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def is_true(one: Any, other: Any) -> bool:
        are_numbers = is_number(one) and is_number(other)
        are_texts = isinstance(one, str) and isinstance(other, str)
        return (are_numbers or are_texts) and compare(one, other)

    return is_true


def _within(one: Any, others: list[Any]) -> bool:
    return any(equal(one, other) for other in others)


def _contains(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return other in one
    return isinstance(one, list) and _within(other, one)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": equal,
    "ne": lambda one, other: not equal(one, other),
    "lt": _ordered(operator.lt),
    "le": _ordered(operator.le),
    "gt": _ordered(operator.gt),
    "ge": _ordered(operator.ge),
    "in": _within,
    "not_in": lambda one, others: not _within(one, others),
    "contains": _contains,
    "like": lambda one, other: isinstance(one, str) and like(one, other),
}
