"""How one measured number went: which number of some topics it is, and its points."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sessions.core import matching
from sessions.core.comparing import is_moment, number
from sessions.core.freshness import Guard, Known, filled

MOST_POINTS = 120
NEAR = 0.1
"""Numbers that differ by no more than this part are of one kind: two prices, say."""
STILL_MS = 10_000
"""What has not moved for so long, beside what does, is stale."""
Point = tuple[int, float]
"""When something was measured (unix ms), and the number."""


class Measured(NamedTuple):
    """A number in the records of a topic; ``path`` is empty where a record is one."""

    topic: str
    path: str


def measured(
    guards: Iterable[Guard], *, arguments: Mapping[str, Any], then: Known
) -> Measured | None:
    """
    The number whose course is shown: what a guard watches, or else what was pinned.

    Of that the first of two that are near each other, else the first there is.
    """
    for guard in guards:
        one = Measured(filled(guard.topic, arguments), guard.path)
        known = then.get(one.topic)
        if known is not None and value(known["value"], one.path) is not None:
            return one
    pinned = _numbers(then)
    paired = (one for one in pinned if beside(one, then=then))
    return next(paired, next(iter(pinned), None))


def beside(one: Measured, *, then: Known) -> Measured | None:
    """Another pinned number that is near this one, to be shown beside it."""
    pinned = _numbers(then)
    mine = value(then[one.topic]["value"], one.path)
    if not mine:
        return None
    near = abs(mine) * NEAR
    return next(
        (other for other, its in pinned.items() if other != one and abs(its - mine) <= near), None
    )


def still_since(points: Sequence[Point], *, other: Sequence[Point], now_ms: int) -> int | None:
    """Since when it has not moved, where the other one did meanwhile and it should have."""
    if not points:
        return None
    last = points[-1][1]
    moved = [place for place, (_, one) in enumerate(points) if one != last]
    since = points[moved[-1] + 1 if moved else 0][0]
    has_moved = len({one for ts, one in other if ts > since}) > 1
    return since if now_ms - since > STILL_MS and has_moved else None


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


def _numbers(then: Known) -> dict[Measured, float]:
    """The numbers that were pinned, in their order."""
    found = {}
    for topic, known in then.items():
        for path in _paths(known):
            one = value(known["value"], path)
            if one is not None:
                found[Measured(topic, path)] = one
    return found


def _paths(known: Mapping[str, Any]) -> list[str]:
    pinned = known["value"]
    if not isinstance(pinned, dict):
        return [""]
    return [name for name, one in pinned.items() if not is_moment(name, one) and "." not in name]
