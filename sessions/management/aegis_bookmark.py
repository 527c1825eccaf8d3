"""`aegis bookmark`: places in sessions that one wants to find again."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import bookmarks as documents
from sessions.management import far, far_messages, listing, named, there, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Bookmark
from sessions.selectors import beginnings, sessions
from sessions.selectors import bookmarks as reading
from sessions.selectors.bookmarks import Narrowing
from sessions.services import bookmarks
from sessions.services.bookmarks import Mark

app: Typer[..., Any] = Typer(help="Bookmarks: list, create, change and remove them.")


def _where(one: Document) -> str:
    of = one["message_id"]
    return f"event {one['seq']}" if of is None else f"message {of}"


COLUMNS: Columns = {
    "BOOKMARK": lambda one: str(one["id"]),
    "SESSION": lambda one: one["session_key"],
    "OF": _where,
    "NAME": lambda one: one["name"],
    "BY": lambda one: one["author"],
    "AGE": lambda one: far.moment(one["created_at"]),
    "NOTE": lambda one: " ".join(one["note"].split())[:60],
}


SHAPE: Shape[tuple[Bookmark, Principal]] = Shape(
    noun="bookmark",
    document=lambda one: documents.shown(*one),
    name="id",
    columns=COLUMNS,
    sentence=lambda one: f"{one['session_key']}  {_where(one)}  {one['name']}".strip(),
)


def _far_list(
    server: Client, *, text: str, is_own: bool, limit: int, is_json: bool, is_quiet: bool, **by: str
) -> None:
    own = "true" if is_own else ""
    rows, _ = server.several("bookmarks", limit=limit, q=text, own=own, **by)
    SHAPE.tell(How(is_json, is_quiet), "list", rows)


def _far_create(
    server: Client, *, session: str, seq: int, is_json: bool, is_quiet: bool, **given: Any
) -> None:
    said = listing.said(**given, seq=seq or None)
    if "message" in said:
        said["message"] = far_messages.whole(server, session, said["message"])
    row = server.send("POST", "sessions", session, "bookmarks", body=said)
    SHAPE.tell_one(How(is_json, is_quiet), "create", row)


def _changes(*, shared: bool | None, **given: str) -> dict[str, Any]:
    return listing.said(**given, is_shared=shared)


Id = Annotated[str, typer.Argument(metavar="BOOKMARK", help="Its id, or the beginning of it.")]
Ids = Annotated[list[str], typer.Argument(metavar="BOOKMARK...", help="Ids.")]
Name = Annotated[str, typer.Option(help="What it is called.")]
Note = Annotated[str, typer.Option(help="What is to be said about it.")]
Color = Annotated[str, typer.Option(metavar="#RRGGBB", help="Its colour.")]


@app.command("list")
@verb
@elsewhere(_far_list)
def several(
    *,
    session: Annotated[str, typer.Option(help="Only in this session.")] = "",
    text: Annotated[str, typer.Option(help="Only with this text in name or note.")] = "",
    color: Color = "",
    is_own: Annotated[bool, typer.Option("--own", help="Not those that others share.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List one's own bookmarks and those that others share, the newest first.

    Examples: aegis bookmark list --session demo; aegis bookmark list --own --json --limit 1000
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session) if session else None
    by = Narrowing(session=str(row.pk) if row else "", text=text, color=color, is_own=is_own)
    rows = reading.narrowed(principal, by).order_by("-created_at", "-pk")[:limit]
    SHAPE.several(How(is_json, is_quiet), "list", [(one, principal) for one in rows])


@app.command()
@verb
@elsewhere(_far_create)
def create(
    session: Reference,
    *,
    message: Annotated[str, typer.Option(help="The id of a message.")] = "",
    seq: Annotated[int, typer.Option(min=0, help="A position of the ledger.")] = 0,
    name: Name = "",
    note: Note = "",
    color: Color = "",
    is_shared: Annotated[
        bool, typer.Option("--shared", help="Whoever sees the session sees it.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Keep a message or an event of a session.

    Examples: aegis bookmark create demo --seq 42 --name 'The freeze' --shared;
    aegis bookmark create demo --message 5f0c… --note 'The reason.' --color '#f57c00'
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="bookmark.create")
    said = beginnings.message(row, message)
    mark = Mark(
        message=said, seq=seq or None, name=name, note=note, color=color, is_shared=is_shared
    )
    made = bookmarks.create(principal=principal, session=row, mark=mark).bookmark
    SHAPE.one(How(is_json, is_quiet), "create", (made, principal))


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "change", "PATCH", "bookmarks", "~bookmark", body=_changes))
def change(
    bookmark: Id,
    *,
    name: Name = "",
    note: Note = "",
    color: Color = "",
    shared: Annotated[bool | None, typer.Option("--shared/--private", help="Who sees it.")] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change what one's own bookmark says; what is not said stays.

    Examples: aegis bookmark change 5f0c… --note 'The feed froze here.';
    aegis bookmark change 5f0c… --name 'The freeze' --shared
    """
    principal = verbs.acting(as_user)
    changes = _changes(name=name, note=note, color=color, shared=shared)
    done = bookmarks.change(
        principal=principal, bookmark=beginnings.bookmark(principal, bookmark), changes=changes
    )
    SHAPE.one(How(is_json, is_quiet), "change", (done.bookmark, principal))


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "bookmarks", "~bookmark"))
def remove(
    bookmark: Ids,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Remove one's own bookmarks.

    Examples: aegis bookmark remove 5f0c… --yes; aegis bookmark remove 5f0c… 91ab… --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        bookmark,
        read=lambda one: (
            reading.find(principal, beginnings.bookmark(principal, one)),
            principal,
        ),
        act=lambda one: (
            bookmarks.remove(
                principal=principal, bookmark=beginnings.bookmark(principal, one)
            ).bookmark,
            principal,
        ),
        is_sure=is_sure,
        is_dry=is_dry,
    )
