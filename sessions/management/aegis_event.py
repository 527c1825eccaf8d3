"""`aegis event`: the ledger of a session, as it happens."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.core.lifecycle import CLOSED
from sessions.management import far_events, output, verbs
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, elsewhere, verb
from sessions.models import Session
from sessions.selectors import sessions
from streaming import hints
from streaming.models import Log
from streaming.selectors import events

app: Typer[..., Any] = Typer(help="Events: what happened in a session.")

PAGE = 200
LOOK_SECONDS = 5.0


@app.command()
@verb
@elsewhere(far_events.tail)
def tail(
    session: Reference,
    *,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this number.")] = 0,
    kind: Annotated[
        str, typer.Option("--type", metavar="PATTERN", help="Only these, such as 'approval.*'.")
    ] = "*",
    follow: Annotated[bool, typer.Option(help="Wait for more until the session is closed.")] = True,
    as_user: As = "",
    is_json: Json = False,
) -> None:
    """
    Print the events of a session and follow them.

    Examples: aegis event tail demo --no-follow --json; aegis event tail demo --type 'approval.*'
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    for bodies in followed(principal, row, after=after, follows=follow):
        for body in bodies:
            event = orjson.loads(body)
            if fnmatchcase(event["type"], kind):
                output.plain(body if is_json else far_events.line(event))


def followed(
    principal: Principal, row: Session, *, after: int, follows: bool = True
) -> Iterator[list[str]]:
    """The events behind a number as JSON, as they come, until the session is closed."""
    while True:
        # Before the reading, which then has all that its end has written.
        is_over = not follows or _is_over(row)
        extract = events.extract(principal=principal, session_id=row.pk, after=after, limit=PAGE)
        after = extract.last
        if extract.bodies:
            yield extract.bodies
        elif is_over:
            return
        else:
            _wait(row.pk, after)


def _wait(session_id: UUID, after: int) -> None:
    log = Log.objects.ledger_of(session_id).filter(head__gt=after)
    hints.wait_until(log.exists, timeout_seconds=LOOK_SECONDS)


def _is_over(row: Session) -> bool:
    row.refresh_from_db()
    return row.state in CLOSED or row.deleted_at is not None
