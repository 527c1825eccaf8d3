"""The analyzer of tables that are text: CSV and its relatives."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from aegis_project.kit.errors import ValidationFailed
from sessions.files.analyzers import columns
from sessions.files.analyzers.base import Found

DELIMITERS = ",;\t|"
LOOKED_AT = 50
TSV = "text/tab-separated-values"


def delimiter(sample: str) -> str:
    """What stands between the cells, empty if this is no table: the same number in nearly all lines."""
    best, most = "", 1
    for sign in DELIMITERS:
        width = _width(sample, sign)
        if width > most:
            best, most = sign, width
    return best


def _width(sample: str, sign: str) -> int:
    """How many cells the rows have, 0 if that is not nearly the same everywhere."""
    try:
        rows = [row for row in islice(_reader(sample, sign), LOOKED_AT) if row]
    except csv.Error:
        return 0
    if len(rows) > 2 and len(rows) < LOOKED_AT:
        # The sample may end within a row.
        rows.pop()
    if len(rows) < 2:
        return 0
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    is_even = count * 10 >= len(rows) * 9
    return width if is_even and not (width == 2 and _is_prose(rows)) else 0


def _is_prose(rows: Sequence[Sequence[str]]) -> bool:
    """Whether each comma is one of a sentence: a space or the end of the line comes after it."""
    return all(not row[1] or row[1].startswith(" ") for row in rows if len(row) > 1)


def _reader(text: str, sign: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=sign)


def analyze(text: str) -> Found:
    """
    A table: what its columns are, their types, empty cells and ranges, and the first rows.

    :raises ValidationFailed: for what cannot be read as one
    """
    sign = delimiter(text[: 64 * 1024]) or ","
    try:
        rows = (row for row in _reader(text, sign) if row)
        first = next(rows, [])
        names, has_header = header(first)
        if not has_header:
            rows = (row for row in _reader(text, sign) if row)
        table, data = columns.read(names, rows)
    except csv.Error as error:
        raise ValidationFailed(f"The table cannot be read: {error}.") from None
    is_tabbed = sign == "\t"
    more = {"delimiter": sign, "has_header": has_header}
    media = TSV if is_tabbed else "text/csv"
    return Found(
        "data", "tsv" if is_tabbed else "csv", media, {**data, **more}, text=text, table=table
    )


def header(first: Sequence[str]) -> tuple[list[str], bool]:
    """The names of the columns, and whether the first row has them: words, and each once."""
    cells = [cell.strip() for cell in first]
    kinds = {columns.type_of(cell)[0] for cell in cells}
    if cells and kinds <= {"text"} and len(set(cells)) == len(cells):
        return cells, True
    return [f"column_{number}" for number in range(1, len(cells) + 1)], False
