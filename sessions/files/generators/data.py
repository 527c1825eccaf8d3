"""Tables as files: CSV, JSON, XLSX, XML."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sessions.core import file_types
from sessions.files.generators.base import Made, Row, Wanted, columns, unknown
from streaming.core import export

# What XML cannot have at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NAME = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]{0,99}\Z", re.IGNORECASE)
LONGEST_CELL = 32_000
"""Characters of a cell of a workbook, which has no more."""


def make(wanted: Wanted) -> Made:
    """
    A file of rows.

    :raises ValidationFailed: for a format that is none of tables
    """
    found = FORMATS.get(wanted.format)
    if found is None:
        raise unknown(wanted, list(FORMATS))
    content_type, write = found
    return Made(wanted.format, content_type, write(wanted.rows))


def csv_(rows: list[Row]) -> bytes:
    """A table in which no spreadsheet runs anything."""
    names, buffer = columns(rows), io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(map(export.safe, names))
    writer.writerows([export.safe(text(row.get(name))) for name in names] for row in rows)
    return buffer.getvalue().encode()


def json_(rows: list[Row]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=2).encode() + b"\n"


def xlsx(rows: list[Row]) -> bytes:
    """A workbook of one sheet, in which a text is one and no formula."""
    from openpyxl import Workbook  # noqa: PLC0415 -- slow import
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 -- slow import

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Data")

    def cell(value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        made = WriteOnlyCell(sheet, _ILLEGAL.sub("", text(value))[:LONGEST_CELL])
        made.data_type = "s"
        return made

    names = columns(rows)
    sheet.append([cell(name) for name in names])
    for row in rows:
        sheet.append([cell(row.get(name)) for name in names])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def xml(rows: list[Row]) -> bytes:
    """Elements named as columns are; one whose name XML cannot have is a ``cell`` with a name."""
    inside = [f"  <row>{''.join(_element(*one) for one in row.items())}</row>" for row in rows]
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return "\n".join([head, "<rows>", *inside, "</rows>", ""]).encode()


def _element(name: str, value: Any) -> str:
    inside = escape(_ILLEGAL.sub("", text(value)))
    if _NAME.match(name):
        return f"<{name}>{inside}</{name}>"
    return f"<cell name={quoteattr(_ILLEGAL.sub('', name))}>{inside}</cell>"


def text(value: Any) -> str:
    """A cell as a text: what is nested is JSON, null is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


FORMATS: dict[str, tuple[str, Callable[[list[Row]], bytes]]] = {
    "csv": ("text/csv", csv_),
    "json": ("application/json", json_),
    "xlsx": (file_types.SHEET, xlsx),
    "xml": ("application/xml", xml),
}
