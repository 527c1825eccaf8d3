"""`aegis session assign`: whose sessions are."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.core.company import SHARED
from sessions.management import far, named, output, session_tables, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How
from sessions.management.session_options import Reason, References
from sessions.management.verbs import As, Json, Quiet, Results, elsewhere, verb
from sessions.services import assigning

NAME = "session.assign"
COLUMNS: Columns = {
    "KEY": lambda row: row["key"],
    "STATE": lambda row: output.state(row["state"]),
    "OWNER": lambda row: row["owner"] or row["owner_label"],
    "TEAM": lambda row: row["team"],
}


def _far(
    server: Client, *, session: list[str], owner: str, reason: str, is_json: bool, is_quiet: bool
) -> None:
    body = {"owner": owner, "reason": reason}
    _tell(
        verbs.each(session, lambda one: server.send("POST", "sessions", one, "assign", body=body)),
        How(is_json, is_quiet),
    )


@verb
@elsewhere(_far)
def assign(
    session: References,
    *,
    owner: Annotated[
        str, typer.Option("--to", help=f"A person of its team, or {SHARED}: the team itself.")
    ],
    reason: Reason = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say whose sessions are.

    Examples: aegis session assign demo --to ann; aegis session assign demo nightly --to shared
    """
    principal = verbs.acting(as_user)

    def give(one: str) -> Document:
        row = named.session(principal, one, of="session.assign")
        done = assigning.assign(principal=principal, session=row, owner=owner, reason=reason)
        [shown] = session_tables.shown([done.session])
        return shown

    _tell(verbs.each(session, give), How(is_json, is_quiet))


def _tell(results: Results[Any], how: How) -> None:
    refused = {name: error.as_dict() for name, error in results.failures.items()}
    if results.done or len(refused) > 1:
        far.several(how, NAME, COLUMNS, results.done, refused=refused)
    results.end(how)


def add_to(app: Typer[..., Any]) -> None:
    """Make it a verb of sessions."""
    app.command()(assign)
