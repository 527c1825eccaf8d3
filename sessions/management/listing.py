"""What the nouns of things that are registered do the same way: list, show and remove them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import typer
from django.db.models import QuerySet

from sessions.management import far, output, verbs
from sessions.management.far import Columns, Document
from sessions.management.output import How, Misused
from streaming.selectors import pages

T = TypeVar("T")

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
SecretFile = Annotated[
    str,
    typer.Option("--secret-file", metavar="FILE|-", help="Its secret; - is standard input."),
]
MAX_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """
    How the things of one noun are shown: in a table, in a sentence, by the field ``name``.

    What is shown are documents, made of rows here or answered by a server.
    """

    noun: str
    document: Callable[[T], Document]
    name: str
    columns: Columns
    sentence: Callable[[Document], str]

    def several(self, how: How, verb: str, rows: Sequence[T], **meta: Any) -> None:
        """Many of them, in the form that was asked for."""
        self.tell(how, verb, [self.document(one) for one in rows], **meta)

    def tell(self, how: How, verb: str, rows: Sequence[Document], **meta: Any) -> None:
        """The same for their documents."""
        output.show(
            how,
            f"{self.noun}.{verb}",
            data=lambda: rows,
            ids=[str(one[self.name]) for one in rows],
            table=lambda: far.table(self.columns, rows),
            **meta,
        )

    def newest(self, how: How, verb: str, rows: QuerySet[Any], *, limit: int) -> None:
        """The newest of them, and whether there are more."""
        page = pages.page(rows, order="-created_at", cursor="", limit=limit)
        if page.next:
            output.say(f"There are more than {limit}; see --limit.")
        self.several(how, verb, page.rows, has_more=bool(page.next))

    def one(self, how: How, verb: str, row: T, **more: Any) -> None:
        """One of them; ``more`` stands in its document, too."""
        self.tell_one(how, verb, {**self.document(row), **more})

    def tell_one(self, how: How, verb: str, row: Document) -> None:
        """The same for its document."""
        identity, sentence = str(row[self.name]), self.sentence(row)
        output.show_one(how, f"{self.noun}.{verb}", row, identity=identity, sentence=sentence)

    def remove(
        self,
        how: How,
        references: Sequence[str],
        *,
        read: Callable[[str], T],
        act: Callable[[str], T],
        is_sure: bool,
        is_dry: bool,
    ) -> None:
        """
        Remove those that are named, each whatever becomes of the others, or say which they are.

        :raises Misused: where somebody would have to be asked and is not there
        """
        self.remove_by(
            how,
            references,
            read=lambda one: self.document(read(one)),
            act=lambda one: self.document(act(one)),
            is_sure=is_sure,
            is_dry=is_dry,
        )

    def remove_by(
        self,
        how: How,
        references: Sequence[str],
        *,
        read: Callable[[str], Document],
        act: Callable[[str], Document],
        is_sure: bool,
        is_dry: bool,
    ) -> None:
        """The same by what reads and removes documents."""
        if is_dry:
            self.tell(how, "remove", [read(one) for one in references], dry_run=True)
            return
        verbs.confirm(f"Remove {', '.join(references)}?", is_sure=is_sure)
        results = verbs.each(references, act)
        if results.done or len(references) > 1:
            self.tell(how, "remove", results.done)
        results.end(how)


def secret(file: str) -> str:
    """
    What stands in a file, or on standard input, without the end of its last line.

    :raises Misused: for a file that cannot be read, or that is no text
    """
    try:
        text = typer.get_text_stream("stdin").read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise Misused(f"--secret-file: {reason}: {file}") from None
    if len(text) > MAX_CHARACTERS:
        raise Misused(f"--secret-file: {file} is too large.")
    return text.rstrip("\r\n")


def said(**given: Any) -> dict[str, Any]:
    """The changes that were asked for: what was given at all."""
    return {name: value for name, value in given.items() if value not in ("", [], None)}
