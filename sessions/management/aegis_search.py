"""`aegis search`: what was said, in all sessions or in one."""

from typing import Annotated, Literal

import typer

from sessions.api import search as documents
from sessions.core.conversation import Role
from sessions.core.search import Snippet
from sessions.management import output, verbs
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, verb
from sessions.selectors import search as searching
from sessions.selectors import sessions
from sessions.selectors.search import Found, Wanted


@verb
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
    for one in found.sessions:
        output.say(f"session {one.key}  {one.name}")
    if found.suggestions:
        output.say(f"Nothing. Perhaps: {', '.join(found.suggestions)}")
    how = How(is_json, is_quiet)
    if is_json:
        output.document("search", documents.shown(found), count=len(found.hits))
    else:
        _list(found, how)


def _list(found: Found, how: How) -> None:
    hits = found.hits
    output.show(
        how,
        "search",
        data=list,
        ids=[str(one.message.pk) for one in hits],
        table=lambda: {
            "SESSION": [one.message.session.key for one in hits],
            "PLACE": [str(one.message.place) for one in hits],
            "ROLE": [one.message.role for one in hits],
            "SCORE": [f"{one.score:g}" for one in hits],
            "SAID": [_marked(one.snippets[0]) if one.snippets else "" for one in hits],
        },
    )


def _marked(snippet: Snippet) -> str:
    """A piece of text with what was found in brackets, on one line."""
    text = snippet.text
    for first, last in reversed(snippet.marks):
        text = f"{text[:first]}[{text[first:last]}]{text[last:]}"
    return " ".join(text.split())
