"""What changed between two values that were measured, field by field."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

MOST_DIGITS = 40
SMALLEST_PERCENT, LARGEST_PERCENT = Decimal("0.01"), Decimal(1000)
# From 2000 to 2100, in unix milliseconds.
MOMENTS = range(946_684_800_000, 4_102_444_800_000)
OF_TIME = re.compile(
    r"(?:^|_)(?:time|timestamp|ts|at|date)(?:_ms)?$|[a-z]Time(?:stamp)?$", re.ASCII
)
MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


class Compared(NamedTuple):
    """One field, then and now; ``name`` is empty where the value is one. A side may have none."""

    name: str
    then: Any
    now: Any
    has_then: bool = True
    has_now: bool = True

    @property
    def change(self) -> str:
        """
        In a word or as a number with its sign: "same", "-0.11 %", "+16", "new", "gone", "changed".

        In percent of what it was; where that says nothing, or far too much, the difference itself.
        """
        if not (self.has_then and self.has_now):
            return "new" if self.has_now else "gone"
        if self.then == self.now:
            return "same"
        before, after = number(self.then), number(self.now)
        if before is None or after is None:
            return "changed"
        return _difference(before, after)


def is_moment(name: str, value: Any) -> bool:
    """Whether a field is a moment in unix milliseconds: its name says so, and its size does."""
    return type(value) is int and value in MOMENTS and OF_TIME.search(name) is not None


def compare(then: Any, now: Any, *, has_then: bool = True, has_now: bool = True) -> list[Compared]:
    """The fields of both, in the order of the first; one where neither is an object."""
    sides = [value for value in (then, now) if value is not None]
    if not sides or not all(isinstance(value, dict) and value for value in sides):
        return [Compared("", then, now, has_then, has_now)]
    before, after = then or {}, now or {}
    return [
        Compared(name, before.get(name), after.get(name), name in before, name in after)
        for name in {**before, **after}
    ]


def _difference(before: Decimal, after: Decimal) -> str:
    difference = after - before
    if difference == 0:
        return "same"
    percent = abs(difference / before * 100) if before else LARGEST_PERCENT
    sign = "+" if difference > 0 else MINUS
    if SMALLEST_PERCENT <= percent < LARGEST_PERCENT:
        return f"{sign}{percent:.2f}{SPACE}%"
    return f"{sign}{abs(difference).normalize():f}"


def number(value: Any) -> Decimal | None:
    """A number, or a text that is one, as exchanges write theirs."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= MOST_DIGITS else None
