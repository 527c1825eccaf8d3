"""How one measured number went: which number of some topics it is, and its points."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sessions.core import matching
from sessions.core.comparing import is_moment, number
from sessions.core.freshness import Guard, Known, filled

MOST_POINTS = 120
Point = tuple[int, float]
"""When something was measured (unix ms), and the number."""


class Measured(NamedTuple):
    """A number in the records of a topic; ``path`` is empty where a record is one."""

    topic: str
    path: str


def measured(
    guards: Iterable[Guard], *, arguments: Mapping[str, Any], then: Known
) -> Measured | None:
    """The number whose course is shown: what a guard watches, or else the first that was pinned."""
    watched = (Measured(filled(guard.topic, arguments), guard.path) for guard in guards)
    pinned = (Measured(topic, path) for topic, known in then.items() for path in _paths(known))
    for one in (*watched, *pinned):
        known = then.get(one.topic)
        if known is not None and value(known["value"], one.path) is not None:
            return one
    return None


def value(record: Any, path: str) -> float | None:
    """The number of one record."""
    found = next(matching.values(record, path), None) if path else record
    exact = number(found)
    return None if exact is None else float(exact)


def points(
    records: Sequence[tuple[int, bytes]], path: str, *, read: Callable[[bytes], Any]
) -> list[Point]:
    """The points of these records, thinned to what a small chart can show, with the last one."""
    step = -(-len(records) // MOST_POINTS) or 1
    chosen = records[(len(records) - 1) % step :: step] if records else []
    found = ((ts, value(read(data), path)) for ts, data in chosen)
    return [(ts, one) for ts, one in found if one is not None]


def _paths(known: Mapping[str, Any]) -> list[str]:
    pinned = known["value"]
    if not isinstance(pinned, dict):
        return [""]
    return [name for name, one in pinned.items() if not is_moment(name, one) and "." not in name]
