"""`aegis search`: what was said, in all sessions or in one."""

from typing import Annotated, Any, Literal

import typer

from sessions.api import search as documents
from sessions.core.conversation import Role
from sessions.management import far, output, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import search as searching
from sessions.selectors import sessions
from sessions.selectors.search import Wanted


def _far(server: Client, *, text: str, is_json: bool, is_quiet: bool, **given: Any) -> None:
    asked = {name: value for name, value in given.items() if value not in ("", None)}
    _tell(server.get("search", q=text, **asked), How(is_json, is_quiet))


@verb
@elsewhere(_far)
def search(
    text: Annotated[str, typer.Argument(help="One to ten words.")],
    *,
    session: Annotated[str, typer.Option(help="Only in this session.")] = "",
    scope: Annotated[
        Literal["all", "mine", "recent"], typer.Option(help="In which sessions.")
    ] = "all",
    role: Annotated[Role | None, typer.Option(help="Who said it.")] = None,
    tag: Annotated[str, typer.Option(help="Only in sessions that carry this tag.")] = "",
    sort: Annotated[
        Literal["relevance", "newest", "oldest"], typer.Option(help="In which order.")
    ] = "relevance",
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many at most.")] = 20,
    offset: Annotated[int, typer.Option(min=0, max=150, help="How many to leave out.")] = 0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Search what was said; the ids are those of messages.

    Examples: aegis search 'price gap'; aegis search incid* --session btc-demo --sort newest
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session) if session else None
    wanted = Wanted(
        scope=scope,
        session=str(row.pk) if row else "",
        role=role,
        tag=tag,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    found = searching.find(principal, text, wanted)
    _tell(documents.shown(found), How(is_json, is_quiet))


def _tell(found: Document, how: How) -> None:
    for one in found["sessions"]:
        output.say(f"session {one['key']}  {one['name']}")
    if found["suggestions"]:
        output.say(f"Nothing. Perhaps: {', '.join(found['suggestions'])}")
    hits = found["data"]
    if how.is_json:
        output.document("search", found, count=len(hits))
        return
    output.show(
        how,
        "search",
        data=lambda: hits,
        ids=[str(one["message"]) for one in hits],
        table=lambda: far.table(HITS, hits),
    )


def _marked(hit: Document) -> str:
    """A piece of text with what was found in brackets, on one line."""
    if not hit["snippets"]:
        return ""
    text: str = hit["snippets"][0]["text"]
    for first, last in reversed(hit["snippets"][0]["marks"]):
        text = f"{text[:first]}[{text[first:last]}]{text[last:]}"
    return " ".join(text.split())


HITS: Columns = {
    "SESSION": lambda one: one["session_key"],
    "PLACE": lambda one: str(one["place"]),
    "ROLE": lambda one: one["role"],
    "SCORE": lambda one: f"{one['score']:g}",
    "SAID": _marked,
}
