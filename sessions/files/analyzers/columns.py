"""What the columns of a table hold, told while its rows go by."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sessions.files.analyzers.base import Table, short

MOST_KEPT = 1000
"""Rows of a table that are kept; beyond them it is only counted."""
MOST_COLUMNS = 200
MOST_CELLS = 2_000_000
PREVIEW_ROWS = 10
BARS = 10
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?\Z")
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\Z"
)
NOTHING = frozenset({"", "null", "none", "na", "n/a", "nan", "-"})
BOOLEAN = frozenset({"true", "false"})


class Column:
    """A column: how many cells are empty, which types there are, and the range of its numbers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nulls = 0
        self.types: dict[str, int] = {}
        self.lowest = math.inf
        self.highest = -math.inf
        self.mean = 0.0
        self.spread = 0.0

    def take(self, value: Any) -> None:
        """Take a cell into account."""
        kind, number = type_of(value)
        if kind == "null":
            self.nulls += 1
            return
        self.types[kind] = self.types.get(kind, 0) + 1
        if number is not None:
            self.lowest, self.highest = min(self.lowest, number), max(self.highest, number)
            # Welford's: no sum that grows, no difference of two large ones.
            before = number - self.mean
            self.mean += before / self.numbers
            self.spread += before * (number - self.mean)

    @property
    def numbers(self) -> int:
        """How many cells are numbers."""
        return self.types.get("integer", 0) + self.types.get("number", 0)

    @property
    def type(self) -> str:
        """The one type of its cells, ``number`` for whole and other ones, else ``mixed``."""
        if set(self.types) == {"integer", "number"}:
            return "number"
        return next(iter(self.types), "empty") if len(self.types) < 2 else "mixed"

    def shown(self) -> dict[str, Any]:
        """The column for people."""
        found: dict[str, Any] = {"name": self.name, "type": self.type, "nulls": self.nulls}
        if self.numbers:
            deviation = math.sqrt(max(self.spread, 0.0) / self.numbers)
            values = {"min": self.lowest, "max": self.highest, "mean": self.mean, "std": deviation}
            found["numbers"] = {name: rounded(value) for name, value in values.items()}
        return found


def type_of(value: Any) -> tuple[str, float | None]:
    """The type of a cell, and its number if it is one."""
    if value is None or (isinstance(value, str) and value.strip().lower() in NOTHING):
        return "null", None
    if isinstance(value, bool):
        return "boolean", None
    if isinstance(value, int | float):
        return ("integer" if isinstance(value, int) else "number"), _finite(value)
    if not isinstance(value, str):
        return ("object" if isinstance(value, dict | list) else "date"), None
    return _of_text(value.strip())


def _of_text(text: str) -> tuple[str, float | None]:
    if _NUMBER.match(text):
        return ("integer" if text.lstrip("+-").isdigit() else "number"), _finite(float(text))
    if text.lower() in BOOLEAN:
        return "boolean", None
    return ("date" if _DATE.match(text) else "text"), None


def _finite(value: float) -> float:
    try:
        found = float(value)
    except OverflowError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def rounded(value: float) -> float:
    """A figure with as many digits as anybody reads."""
    return value if value == 0 or not math.isfinite(value) else float(f"{value:.10g}")


def read(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[Table, dict[str, Any]]:
    """A table of these rows and what it holds; beyond so many cells the rest is left out."""
    columns = [Column(short(name)) for name in names[:MOST_COLUMNS]]
    table = Table([one.name for one in columns])
    most = max(MOST_CELLS // max(len(columns), 1), 1)
    is_whole, ragged = True, 0
    for row in rows:
        if table.count == most:
            is_whole = False
            break
        table.count += 1
        ragged += len(row) != len(names)
        for column, value in zip(columns, row, strict=False):
            column.take(value)
        for column in columns[len(row) :]:
            column.nulls += 1
        if len(table.rows) < MOST_KEPT:
            table.rows.append(list(row[: len(columns)]))
    return table, {
        "rows": table.count,
        "is_complete": is_whole,
        "columns": len(names),
        "ragged_rows": ragged,
        "fields": [one.shown() for one in columns],
        "preview": [_shown(table, row) for row in table.rows[:PREVIEW_ROWS]],
    }


def _shown(table: Table, row: Sequence[Any]) -> dict[str, Any]:
    return {name: cell(value) for name, value in zip(table.columns, row, strict=False)}


def cell(value: Any) -> Any:
    """A cell that is not longer than one may be."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return short(value)


def bars(table: Table) -> list[dict[str, Any]]:
    """How often which numbers occur: ten ranges of equal width of each column of numbers."""
    found = []
    for place, name in enumerate(table.columns):
        kinds = [type_of(row[place]) for row in table.rows if place < len(row)]
        numbers = [number for _, number in kinds if number is not None]
        if numbers and len(numbers) * 2 > len(kinds):
            found.append({"column": name, **_counted(numbers)})
    return found


def _counted(numbers: list[float]) -> dict[str, Any]:
    low, high = min(numbers), max(numbers)
    width = (high - low) / BARS or 1.0
    counts = [0] * BARS
    for number in numbers:
        counts[min(int((number - low) / width), BARS - 1)] += 1
    return {"from": rounded(low), "to": rounded(high), "counts": counts}
