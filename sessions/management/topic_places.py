"""Topics as they are named at the command line: several, by patterns, in one session or in all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from sessions.management import client, verbs
from sessions.management.client import Client
from sessions.selectors import sessions
from streaming.core import topics

MOST = 1000

Topics = Annotated[list[str], typer.Argument(metavar="TOPIC...", help="Names, or patterns.")]
AnySession = Annotated[str, typer.Option("--session", help="Only of this one.")]


@dataclass(frozen=True, slots=True)
class Place:
    """A topic of a session; a server takes both."""

    session: str
    topic: str


def identity(reference: str) -> str:
    """The id: beginnings and names are known here, a server takes ids and keys."""
    if client.named() is not None:
        return reference
    return str(sessions.resolve(verbs.acting(), reference).pk)


def found(server: Client, session: str, wanted: Sequence[str]) -> Iterator[Place]:
    """Those of the topics that there are; a name in a session is one whether it is there or not."""
    session = identity(session) if session else ""
    for name in wanted if session else ():
        if not topics.is_pattern(name):
            yield Place(session, name)
    if session and not any(map(topics.is_pattern, wanted)):
        return
    for one in documents(server, session, wanted):
        yield Place(session or one["session_id"], one["name"])


def documents(server: Client, session: str, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The documents of those that are of the patterns, or have the names."""
    if session:
        rows = server.get("sessions", session, "topics")["data"]
    else:
        rows, _ = server.several("topics", limit=MOST)
    return [one for one in rows if any(_is_meant(name, one["name"]) for name in wanted)]


def _is_meant(wanted: str, name: str) -> bool:
    return topics.matches(wanted, name) if topics.is_pattern(wanted) else wanted == name
