"""`aegis session note`: a bookmark with a text, at the newest event or another one."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import bookmarks as documents
from sessions.management import aegis_bookmark, named, output, verbs
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.services import bookmarks
from sessions.services.bookmarks import Mark
from streaming.selectors import logs

NAME = "session.note"


def _far(
    server: Client,
    *,
    session: str,
    text: str,
    seq: int,
    is_shared: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    at = seq or server.get("sessions", session, "events", limit=1)["head"]
    body = {"seq": at, "note": text, "is_shared": is_shared}
    _tell(How(is_json, is_quiet), server.send("POST", "sessions", session, "bookmarks", body=body))


@verb
@elsewhere(_far)
def note(
    session: Reference,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be said.")],
    *,
    seq: Annotated[
        int, typer.Option(min=0, help="A position of the ledger; the newest event without one.")
    ] = 0,
    is_shared: Annotated[
        bool, typer.Option("--shared", help="Whoever sees the session sees it.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Note something at the newest event of a session, or at another one; it is a bookmark.

    Examples: aegis session note demo 'The feed froze here.'; aegis session note demo Why? --seq 42
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="bookmark.create")
    mark = Mark(seq=seq or logs.ledger_head(row.pk), note=text, is_shared=is_shared)
    made = bookmarks.create(principal=principal, session=row, mark=mark).bookmark
    _tell(How(is_json, is_quiet), documents.shown(made, principal))


def _tell(how: How, row: Document) -> None:
    sentence = output.readable(f"event {row['seq']}  {row['note']}")
    output.show_one(how, NAME, row, identity=str(row["id"]), sentence=sentence)


def add_to(app: Typer[..., Any]) -> None:
    """Make these verbs of sessions."""
    app.command()(note)
    app.command("bookmark", help="The same as bookmark create.")(aegis_bookmark.create)
