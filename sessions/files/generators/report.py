"""Reports: Markdown, HTML, plain text, PDF."""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from aegis_project.kit.errors import PayloadTooLarge
from sessions.files.generators.base import Made, Row, Section, Wanted, columns, unknown
from sessions.files.generators.data import text

MOST_PDF = 200_000
"""Characters of a PDF, whose lines are measured one by one."""
MOST_PDF_CELLS = 5_000
MOST_PDF_COLUMNS = 12
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #999;padding:.2rem .5rem;text-align:left}"
)
# The fonts that every PDF reader has know no other signs for these.
PLAINER = str.maketrans(
    {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "•": "-", "€": "EUR"}
)
_GAP = re.compile(r"\n[ \t]*\n")


def make(wanted: Wanted) -> Made:
    """
    A report.

    :raises ValidationFailed: for a format that is none of reports
    :raises PayloadTooLarge: for a PDF of more than 200,000 characters or 5,000 cells
    """
    found = FORMATS.get(wanted.format)
    if found is None:
        raise unknown(wanted, list(FORMATS))
    content_type, write = found
    return Made(wanted.format, content_type, write(wanted))


def sections(wanted: Wanted) -> list[Section]:
    """The parts of a report; what it says and has by itself comes first."""
    own = Section(text=wanted.text, rows=wanted.rows)
    return [own, *wanted.sections] if own.text or own.rows else wanted.sections


def markdown(wanted: Wanted) -> bytes:
    parts = [f"# {_line(wanted.title)}"] if wanted.title else []
    for one in sections(wanted):
        parts += [f"## {_line(one.heading)}"] if one.heading else []
        parts += [one.text.strip()] if one.text.strip() else []
        parts += ["\n".join(_rows(one.rows))] if one.rows else []
    return ("\n\n".join(parts) + "\n").encode()


def _rows(rows: list[Row]) -> Iterator[str]:
    names = columns(rows)
    yield f"| {' | '.join(map(_cell, names))} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(_cell(row.get(name)) for name in names)} |"


def _cell(value: Any) -> str:
    return _line(text(value)).replace("\\", "\\\\").replace("|", "\\|")


def _line(value: str) -> str:
    return " ".join(value.split())


def html(wanted: Wanted) -> bytes:
    """A page of its own that runs nothing: every text in it is one."""
    title = escape(wanted.title)
    body = [f"<h1>{title}</h1>"] if title else []
    for one in sections(wanted):
        body += [f"<h2>{escape(one.heading)}</h2>"] if one.heading else []
        body += [f"<p>{escape(part)}</p>" for part in paragraphs(one.text)]
        body += [_table(one.rows)] if one.rows else []
    head = f'<meta charset="utf-8"><title>{title or "Report"}</title><style>{STYLE}</style>'
    lines = [
        "<!doctype html>",
        f'<html lang="en"><head>{head}</head>',
        "<body>",
        *body,
        "</body></html>",
        "",
    ]
    return "\n".join(lines).encode()


def _table(rows: list[Row]) -> str:
    names = columns(rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ("".join(f"<td>{escape(text(row.get(name)))}</td>" for name in names) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def plain(wanted: Wanted) -> bytes:
    parts = [_under(wanted.title, "=")] if wanted.title else []
    for one in sections(wanted):
        parts += [_under(one.heading, "-")] if one.heading else []
        parts += [one.text.strip()] if one.text.strip() else []
        names = columns(one.rows)
        table = [names, *([text(row.get(name)) for name in names] for row in one.rows)]
        parts += ["\n".join("\t".join(map(_line, row)) for row in table)] if one.rows else []
    return ("\n\n".join(parts) + "\n").encode()


def _under(heading: str, sign: str) -> str:
    shown = _line(heading)
    return f"{shown}\n{sign * len(shown)}"


def pdf(wanted: Wanted) -> bytes:
    """Pages in the fonts that every reader has, which know the signs of Western Europe."""
    from fpdf import FPDF  # noqa: PLC0415 -- slow import

    _check(wanted)
    page = FPDF(format="A4")
    page.set_auto_page_break(True, margin=15)
    page.set_title(_latin(wanted.title))
    page.add_page()
    if wanted.title:
        _write(page, wanted.title, size=18, style="B")
    for one in sections(wanted):
        if one.heading:
            _write(page, one.heading, size=13, style="B")
        for part in paragraphs(one.text):
            _write(page, part, size=10)
        if one.rows:
            _draw(page, one.rows)
    return bytes(page.output())


def _write(page: Any, said: str, *, size: int, style: str = "") -> None:
    page.set_font("Helvetica", style=style, size=size)
    page.multi_cell(0, size * 0.5, _latin(said), new_x="LMARGIN", new_y="NEXT")
    page.ln(2)


def _draw(page: Any, rows: list[Row]) -> None:
    page.set_font("Helvetica", size=8)
    names = columns(rows)
    with page.table(first_row_as_headings=True) as table:
        for line in [names, *([text(row.get(name)) for name in names] for row in rows)]:
            drawn = table.row()
            for cell in line:
                drawn.cell(_latin(cell[:200]))
    page.ln(2)


def _latin(value: str) -> str:
    return value.translate(PLAINER).encode("latin-1", "replace").decode("latin-1")


def _check(wanted: Wanted) -> None:
    parts = sections(wanted)
    if sum(len(one.text) for one in parts) > MOST_PDF:
        raise PayloadTooLarge("A PDF has so many characters at most.", most=MOST_PDF)
    if sum(len(one.rows) * len(columns(one.rows)) for one in parts) > MOST_PDF_CELLS:
        raise PayloadTooLarge("A PDF has so many cells at most.", most=MOST_PDF_CELLS)
    if any(len(columns(one.rows)) > MOST_PDF_COLUMNS for one in parts):
        raise PayloadTooLarge("A table of a PDF has so many columns.", most=MOST_PDF_COLUMNS)


def paragraphs(said: str) -> list[str]:
    """What stands between empty lines."""
    return [part for one in _GAP.split(said) if (part := one.strip())]


FORMATS: dict[str, tuple[str, Callable[[Wanted], bytes]]] = {
    "md": ("text/markdown", markdown),
    "html": ("text/html", html),
    "txt": ("text/plain", plain),
    "pdf": ("application/pdf", pdf),
}
