"""The shape of records: which members they have, and of which kinds, without the values."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

MOST_MEMBERS = 24
MOST_DEPTH = 4


class Shape(Struct, frozen=True):
    """A shape, the seq of the first and last record that had it, and how many did."""

    text: str
    first: int
    last: int
    count: int


def of(value: Any, *, depth: int = MOST_DEPTH) -> str:
    """
    ``{bid: number, levels: [[text]]}``; of a list the shapes that occur in it.

    What lies deeper than ``depth``, and members beyond the first 24, are an ellipsis.
    """
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, list):
        return _list(value, depth)
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return "number" if isinstance(value, int | float) else "text"


def _object(value: dict[str, Any], depth: int) -> str:
    if not depth:
        return "{…}"
    names = sorted(value)
    members = [f"{name}: {of(value[name], depth=depth - 1)}" for name in names[:MOST_MEMBERS]]
    return "{" + ", ".join(members + ["…"] * (len(names) > MOST_MEMBERS)) + "}"


def _list(value: list[Any], depth: int) -> str:
    if not depth:
        return "[…]"
    return "[" + " or ".join(sorted({of(one, depth=depth - 1) for one in value})) + "]"


def latest(records: Iterable[tuple[int, Any]], *, most: int = 10) -> list[Shape]:
    """The shapes of consecutive records (seq and value), the most recent first, at most so many."""
    found: dict[str, Shape] = {}
    for seq, value in records:
        text = of(value)
        older = found.pop(text, None)
        first, count = (older.first, older.count) if older else (seq, 0)
        # Taken out and put in again, so that the order is that of the last records.
        found[text] = Shape(text, first, seq, count + 1)
    return list(reversed(found.values()))[:most]
