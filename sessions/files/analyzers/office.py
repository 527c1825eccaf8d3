"""The analyzers of office documents: DOCX and XLSX."""

import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any
from zipfile import BadZipFile

from aegis_project.kit.errors import ValidationFailed
from sessions.core import file_types
from sessions.files.analyzers import columns, packed, tables, writing
from sessions.files.analyzers.base import Found, Table, short

MOST_PARAGRAPHS = 50_000
MOST_ROWS = 100_000
MOST_SHEETS = 50
NAMES = ("title", "author", "subject", "keywords", "category", "last_modified_by")
# What a library raises for what somebody else wrote can be anything.
BROKEN = (
    BadZipFile,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OSError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    SyntaxError,
    AssertionError,
)


def docx(content: bytes) -> Found:
    """
    A text document: its text with that of its tables, headings, comments, what it says of itself.

    :raises ValidationFailed: for one that is broken
    :raises PayloadTooLarge: for one that unpacks to too much
    """
    packed.opened(content).close()
    import docx as word  # noqa: PLC0415 -- slow import

    try:
        document = word.Document(io.BytesIO(content))
        text = "\n".join(itertools.islice(_said(document), MOST_PARAGRAPHS))
        metadata = _properties(document.core_properties)
        data = writing.figures(text) | {
            "headings": _headings(document)[: writing.MOST_LISTED],
            "table_count": len(document.tables),
            "image_count": len(document.inline_shapes),
            "comment_count": len(list(document.comments)),
        }
    except BROKEN as error:
        raise _broken(error) from None
    return Found("document", "docx", file_types.WORD, data, metadata, text=text)


def _said(document: Any) -> Iterator[str]:
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                yield "\t".join(cell.text for cell in row.cells)
        else:
            yield block.text


def _headings(document: Any) -> list[dict[str, Any]]:
    found = []
    for one in itertools.islice(document.paragraphs, MOST_PARAGRAPHS):
        kind, _, level = str(one.style.name if one.style else "").partition(" ")
        if kind == "Heading" and level.isdigit():
            found.append({"level": int(level), "text": short(one.text)})
    return found


def xlsx(content: bytes) -> Found:
    """
    A workbook: its sheets, and the largest of them as a table, with values in place of formulas.

    :raises ValidationFailed: for one that is broken
    :raises PayloadTooLarge: for one that unpacks to too much
    """
    packed.opened(content).close()
    import openpyxl  # noqa: PLC0415 -- slow import

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        metadata = _properties(book.properties)
        sheets = [_sheet(one) for one in book.worksheets[:MOST_SHEETS]]
        count = len(book.sheetnames)
    except BROKEN as error:
        raise _broken(error) from None
    listed = [
        {"name": name, "rows": table.count, "columns": figures["columns"]}
        for name, table, figures in sheets
    ]
    found = Found(
        "data", "xlsx", file_types.SHEET, {"sheet_count": count, "sheets": listed}, metadata
    )
    if sheets:
        name, table, figures = max(sheets, key=lambda one: one[1].count)
        found.data |= {"table": name, **figures}
        found.table, found.text = table, _lines(table)
    return found


def _sheet(sheet: Any) -> tuple[str, Table, dict[str, Any]]:
    # What a sheet says of its own size may be wrong on purpose.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(values_only=True, max_row=MOST_ROWS, max_col=columns.MOST_COLUMNS)
    filled = (cells for row in rows if (cells := _trimmed(row)))
    first = next(filled, [])
    names, has_header = tables.header(["" if cell is None else str(cell) for cell in first])
    before = [] if has_header or not first else [first]
    table, figures = columns.read(names, itertools.chain(before, filled))
    return short(sheet.title), table, figures | {"has_header": has_header}


def _trimmed(row: Sequence[Any]) -> list[Any]:
    """The cells of a row up to the last that holds something."""
    width = max((place for place, cell in enumerate(row, 1) if cell is not None), default=0)
    return list(row[:width])


def _lines(table: Table) -> str:
    rows = [table.columns, *table.rows]
    return "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in rows)


def _properties(properties: Any) -> dict[str, Any]:
    found = {
        name: getattr(properties, name, None) or getattr(properties, _CAMEL.get(name, name), None)
        for name in NAMES
    }
    return {name: short(value) for name, value in found.items() if value}


_CAMEL = {"author": "creator", "last_modified_by": "lastModifiedBy"}


def _broken(error: BaseException) -> ValidationFailed:
    return ValidationFailed(f"The document is broken: {short(error)}.")
