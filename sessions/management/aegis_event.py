"""`aegis event`: the ledger of a session, as it happens."""

from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from django_typer.management import Typer

from sessions.core.lifecycle import CLOSED
from sessions.management import output, verbs
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, verb
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
def tail(
    session: Reference,
    *,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this number.")] = 0,
    follow: Annotated[bool, typer.Option(help="Wait for more until the session is closed.")] = True,
    as_user: As = "",
    is_json: Json = False,
) -> None:
    """
    Print the events of a session and follow them.

    Example: aegis event tail demo --no-follow --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    while True:
        extract = events.extract(principal=principal, session_id=row.pk, after=after, limit=PAGE)
        for body in extract.bodies:
            _print(body, is_json=is_json)
        after = extract.last
        if extract.bodies:
            continue
        if not follow or _is_over(row):
            return
        _wait(row.pk, after)


def _print(body: str, *, is_json: bool) -> None:
    if is_json:
        output.plain(body)
        return
    event: dict[str, Any] = orjson.loads(body)
    said = output.dump(event["data"]) if event["data"] else ""
    output.plain(f"{event['seq']}  {event['ts']}  {event['type']}  {event['actor']}  {said}")


def _wait(session_id: UUID, after: int) -> None:
    log = Log.objects.ledger_of(session_id).filter(head__gt=after)
    hints.wait_until(log.exists, timeout_seconds=LOOK_SECONDS)


def _is_over(row: Session) -> bool:
    row.refresh_from_db()
    return row.state in CLOSED or row.deleted_at is not None
