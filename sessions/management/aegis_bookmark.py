"""`aegis bookmark`: places in sessions that one wants to find again."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import bookmarks as documents
from sessions.management import output, verbs
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, verb
from sessions.models import Bookmark
from sessions.selectors import bookmarks as reading
from sessions.selectors import sessions
from sessions.selectors.bookmarks import Narrowing
from sessions.services import bookmarks
from sessions.services.bookmarks import Mark

app: Typer[..., Any] = Typer(help="Bookmarks: list, create, change and remove them.")

Id = Annotated[str, typer.Argument(metavar="BOOKMARK", help="Its id.")]
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
    _show("bookmark.list", list(rows), principal, How(is_json, is_quiet))


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

    Example: aegis bookmark create demo --seq 42 --name 'The freeze' --shared
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    mark = Mark(
        message=message, seq=seq or None, name=name, note=note, color=color, is_shared=is_shared
    )
    made = bookmarks.create(principal=principal, session=row, mark=mark).bookmark
    _tell("bookmark.create", made, principal, How(is_json, is_quiet))


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

    Example: aegis bookmark change 5f0c… --note 'The feed froze here.'
    """
    principal = verbs.acting(as_user)
    said = {"name": name or None, "note": note or None, "color": color or None, "is_shared": shared}
    changes = {name: value for name, value in said.items() if value is not None}
    done = bookmarks.change(principal=principal, bookmark=bookmark, changes=changes)
    _tell("bookmark.change", done.bookmark, principal, How(is_json, is_quiet))


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

    Example: aegis bookmark remove 5f0c… --yes
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    found = [reading.find(principal, one) for one in bookmark] if is_dry else []
    if is_dry:
        _show("bookmark.remove", found, principal, how, dry_run=True)
        return
    verbs.confirm(f"Remove {len(bookmark)} bookmarks?", is_sure=is_sure)
    results = verbs.each(
        bookmark, lambda one: bookmarks.remove(principal=principal, bookmark=one).bookmark
    )
    if results.done or len(bookmark) > 1:
        _show("bookmark.remove", results.done, principal, how)
    results.end(how)


def _tell(name: str, row: Bookmark, principal: Principal, how: How) -> None:
    sentence = f"{row.session.key}  {row.where}  {row.name}"
    data = documents.shown(row, principal)
    output.show_one(how, name, data, identity=str(row.pk), sentence=sentence.strip())


def _show(name: str, rows: Sequence[Bookmark], principal: Principal, how: How, **meta: Any) -> None:
    output.show(
        how,
        name,
        data=lambda: [documents.shown(one, principal) for one in rows],
        ids=[str(one.pk) for one in rows],
        table=lambda: {
            "BOOKMARK": [str(one.pk) for one in rows],
            "SESSION": [one.session.key for one in rows],
            "OF": [one.where for one in rows],
            "NAME": [one.name for one in rows],
            "BY": [one.author for one in rows],
            "AGE": [output.age(one.created_at) for one in rows],
            "NOTE": [" ".join(one.note.split())[:60] for one in rows],
        },
        **meta,
    )
