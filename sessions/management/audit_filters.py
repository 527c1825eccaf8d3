"""Which entries of the audit are meant: the options of `aegis audit`, and what is read from them."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from sessions.management import instants
from streaming.selectors.audit import Wanted

Command = Annotated[str, typer.Option(help="Only this command; session.* for several.")]
Actor = Annotated[str, typer.Option(help="Only of this actor; user:* for several.")]
Transport = Annotated[str, typer.Option(help="Only what came by this transport.")]
Outcome = Annotated[Literal["ok", "refused", "all"], typer.Option(help="Only with this outcome.")]
Code = Annotated[str, typer.Option(help="Only refused with this code.")]
Of = Annotated[str, typer.Option("--session", help="Only of this session, by id or key.")]
RequestId = Annotated[str, typer.Option("--request-id", help="Only of this request.")]
Since = Annotated[
    str, typer.Option(metavar="MOMENT", help="Only from then on: -5m, 14:02 or ISO 8601.")
]
Until = Annotated[str, typer.Option(metavar="MOMENT", help="Only before then.")]


def wanted(*, outcome: str, since: str, until: str, **words: str) -> Wanted:
    """
    The entries that are meant.

    :raises Misused: for what is no moment
    """
    return Wanted(
        outcome="" if outcome == "all" else outcome,
        since=_moment("--since", since),
        until=_moment("--until", until),
        **words,
    )


def _moment(name: str, text: str) -> datetime | None:
    return instants.read(text, option=name) if text else None
