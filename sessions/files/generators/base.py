"""What generators are given and give."""

from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed

MOST_CELLS = 200_000
MOST_TEXT = 500_000
"""Characters of all texts of one file."""

Row = dict[str, Any]
Line = Annotated[str, Meta(max_length=300)]
Format = Literal["md", "html", "txt", "pdf", "csv", "json", "xlsx", "xml", ""]


class Section(Struct, kw_only=True, forbid_unknown_fields=True):
    """A part of a report: paragraphs with empty lines between, and a table below them."""

    heading: Line = ""
    text: str = ""
    rows: list[Row] = []


class Wanted(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    What should be in a file.

    A `report` (md html txt pdf) has a title, text and sections; `data` (csv json xlsx xml) has
    rows; `code` is a program in a language, beneath its title as a comment.
    """

    type: Literal["report", "data", "code"]
    format: Format = ""
    title: Line = ""
    text: str = ""
    sections: Annotated[list[Section], Meta(max_length=500)] = []
    rows: Annotated[list[Row], Meta(max_length=50_000)] = []
    language: Annotated[str, Meta(max_length=40)] = ""
    code: str = ""


class Made(NamedTuple):
    """A file that was made: the end of its name, its media type, its bytes."""

    suffix: str
    content_type: str
    content: bytes


def columns(rows: list[Row]) -> list[str]:
    """The names in the rows, in the order in which they come."""
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(row))
    return list(found)


def check(wanted: Wanted) -> None:
    """
    Go on only with what is made in a moment.

    :raises PayloadTooLarge: for more cells or characters than one file has
    """
    tables = [wanted.rows, *(one.rows for one in wanted.sections)]
    if sum(len(columns(rows)) * len(rows) for rows in tables) > MOST_CELLS:
        raise PayloadTooLarge("A file has so many cells at most.", most=MOST_CELLS)
    texts = [wanted.text, wanted.code, *(one.text for one in wanted.sections)]
    if sum(map(len, texts)) > MOST_TEXT:
        raise PayloadTooLarge("A file has so many characters at most.", most=MOST_TEXT)


def unknown(wanted: Wanted, known: list[str]) -> ValidationFailed:
    """The refusal of a format that this type does not have."""
    return ValidationFailed(
        f"{wanted.type} is made as {', '.join(known)}.", fields=["format"], known=known
    )
