"""`aegis bookmark`: places in sessions that one wants to find again."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import bookmarks as documents
from sessions.management import listing, named, output, verbs
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, verb
from sessions.models import Bookmark
from sessions.selectors import beginnings, sessions
from sessions.selectors import bookmarks as reading
from sessions.selectors.bookmarks import Narrowing
from sessions.services import bookmarks
from sessions.services.bookmarks import Mark

app: Typer[..., Any] = Typer(help="Bookmarks: list, create, change and remove them.")

Id = Annotated[str, typer.Argument(metavar="BOOKMARK", help="Its id, or the beginning of it.")]
Ids = Annotated[list[str], typer.Argument(metavar="BOOKMARK...", help="Ids.")]
Name = Annotated[str, typer.Option(help="What it is called.")]
Note = Annotated[str, typer.Option(help="What is to be said about it.")]
Color = Annotated[str, typer.Option(metavar="#RRGGBB", help="Its colour.")]


@app.command("list")
@verb
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
    _shape(principal).several(How(is_json, is_quiet), "list", list(rows))


@app.command()
@verb
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
    _shape(principal).one(How(is_json, is_quiet), "create", made)


@app.command()
@verb
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
    changes = listing.said(name=name, note=note, color=color, is_shared=shared)
    done = bookmarks.change(
        principal=principal, bookmark=beginnings.bookmark(principal, bookmark), changes=changes
    )
    _shape(principal).one(How(is_json, is_quiet), "change", done.bookmark)


@app.command()
@verb
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
    _shape(principal).remove(
        How(is_json, is_quiet),
        bookmark,
        read=lambda one: reading.find(principal, beginnings.bookmark(principal, one)),
        act=lambda one: (
            bookmarks.remove(
                principal=principal, bookmark=beginnings.bookmark(principal, one)
            ).bookmark
        ),
        is_sure=is_sure,
        is_dry=is_dry,
    )


def _shape(principal: Principal) -> Shape[Bookmark]:
    return Shape(
        noun="bookmark",
        document=lambda one: documents.shown(one, principal),
        identity=lambda one: str(one.pk),
        table=_table,
        sentence=lambda one: f"{one.session.key}  {one.where}  {one.name}".strip(),
    )


def _table(rows: Sequence[Bookmark]) -> dict[str, list[str]]:
    return {
        "BOOKMARK": [str(one.pk) for one in rows],
        "SESSION": [one.session.key for one in rows],
        "OF": [one.where for one in rows],
        "NAME": [one.name for one in rows],
        "BY": [one.author for one in rows],
        "AGE": [output.age(one.created_at) for one in rows],
        "NOTE": [" ".join(one.note.split())[:60] for one in rows],
    }
