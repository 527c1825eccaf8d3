"""What a server answers, shown as the command line shows what it reads itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sessions.management import output
from sessions.management.output import How

Document = Mapping[str, Any]
Columns = Mapping[str, Callable[[Document], str]]


def at(moment: str | datetime) -> datetime:
    """A moment of a document, as a server said it or as it is shown here."""
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def moment(when: str | datetime | None) -> str:
    """How long ago a moment of a document is."""
    return output.age(None if when is None else at(when))


def table(columns: Columns, rows: Sequence[Document]) -> dict[str, list[str]]:
    """The columns of documents."""
    return {heading: [cell(one) for one in rows] for heading, cell in columns.items()}


def several(how: How, name: str, columns: Columns, rows: Sequence[Document], **meta: Any) -> None:
    """Many documents in the form that was asked for."""
    output.show(
        how,
        name,
        data=lambda: rows,
        ids=[str(one["id"]) for one in rows],
        table=lambda: table(columns, rows),
        **meta,
    )


def one(how: How, name: str, columns: Columns, row: Document) -> None:
    """One document in the form that was asked for; a table of one row for people."""
    if how.is_json or how.is_quiet:
        output.show_one(how, name, row, identity=str(row["id"]), sentence="")
    else:
        output.tabulate(table(columns, [row]))
