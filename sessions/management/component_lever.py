"""`aegis component detach|restart|log-level`: what is asked of one component."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from components import selectors
from components.api import documents
from components.core import asks, launching
from components.core.asks import Level
from sessions.api import participants as api
from sessions.management import named, output, verbs
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How
from sessions.management.session_options import Reference, Timeout
from sessions.management.verbs import (
    As,
    DryRun,
    Json,
    OutOfReach,
    Quiet,
    TimedOut,
    Yes,
    elsewhere,
    verb,
)
from sessions.services import participants
from sessions.services.participants import Moved
from streaming.api import codecs

Named = Annotated[str, typer.Argument(metavar="COMPONENT", help="Id, name, or its beginning.")]


def _far_detach(
    server: Client,
    *,
    session: str,
    component: str,
    is_sure: bool,
    dry_run: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    at, how = ("sessions", session, "components", component), How(is_json, is_quiet)
    if dry_run:
        row = server.get(*at)
        is_here = launching.is_here(row["state"], (row["launch"] or {}).get("state"))
        _detached(how, {**row, "is_forgotten": not is_here}, dry_run=True)
        return
    verbs.confirm(f"Detach {component} from {session}?", is_sure=is_sure)
    _detached(how, server.send("POST", *at, "detach"))


@verb
@elsewhere(_far_detach)
def detach(
    session: Reference,
    component: Named,
    *,
    is_sure: Yes = False,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take a component out of its session, which waits for it no longer.

    Who is connected is released and not started again; of whom nothing is here the session forgets.

    Examples: aegis component detach demo prices --dry-run; aegis component detach demo prices --yes
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    row = named.session(principal, session, of="component.detach", is_dry=dry_run)
    if dry_run:
        principal.require("components:read")
        found = selectors.find(component, session_id=row.pk)
        planned = Moved(found, is_forgotten=not selectors.is_here(found))
        _detached(how, codecs.show(api.detached(planned)), dry_run=True)
        return
    verbs.confirm(f"Detach {component} from {session}?", is_sure=is_sure)
    done = participants.detach(principal=principal, session=row, component=component)
    _detached(how, codecs.show(api.detached(done)))


def _far_restart(
    server: Client, *, session: str, component: str, is_json: bool, is_quiet: bool
) -> None:
    row = server.send("POST", "sessions", session, "components", component, "restart")
    _restarted(How(is_json, is_quiet), row)


@verb
@elsewhere(_far_restart)
def restart(
    session: Reference,
    component: Named,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Have the program of a component end and begin anew; 5 for one that no launcher runs.

    Examples: aegis component restart demo prices; aegis component restart demo prices --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="component.restart")
    done = participants.restart(principal=principal, session=row, component=component)
    _restarted(How(is_json, is_quiet), codecs.show(documents.component(done.component)))


def _far_log_level(
    server: Client,
    *,
    session: str,
    component: str,
    level: Level,
    timeout: float,
    is_json: bool,
    is_quiet: bool,
) -> None:
    body = {"level": level.value, "timeout_seconds": min(timeout, asks.LONGEST_SECONDS)}
    at = ("sessions", session, "components", component, "log-level")
    _leveled(How(is_json, is_quiet), server.send("POST", *at, body=body), level)


@verb
@elsewhere(_far_log_level)
def log_level(
    session: Reference,
    component: Named,
    level: Annotated[Level, typer.Argument(case_sensitive=False, help="How much it is to log.")],
    *,
    timeout: Timeout = 5.0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Ask a connected component to log as much as this; 6 when it does not say that it does.

    Examples: aegis component log-level demo prices debug;
    aegis component log-level demo prices info --timeout 2 --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="component.log-level")
    asked = participants.log_level(
        principal=principal, session=row, component=component, level=level
    )
    told = codecs.show(api.answer(asked, within_seconds=timeout))
    _leveled(How(is_json, is_quiet), told, level)


def _leveled(how: How, row: Document, level: Level) -> None:
    if not row["is_answered"]:
        raise TimedOut(f"{row['name']} did not say that it logs {level}.")
    if row["error"]:
        raise OutOfReach(f"{row['name']} says: {row['error']}")
    sentence = f"{row['name']} logs {level}"
    identity = str(row["component_id"])
    output.show_one(how, "component.log-level", row, identity=identity, sentence=sentence)


def _detached(how: How, row: Document, **meta: Any) -> None:
    word = "forgotten" if row["is_forgotten"] else "released"
    sentence = f"{row['name']}  {'would be ' if meta else ''}{word}"
    identity = str(row["id"])
    output.show_one(how, "component.detach", row, identity=identity, sentence=sentence, **meta)


def _restarted(how: How, row: Document) -> None:
    sentence = f"{row['name']}  {row['program']} begins anew"
    output.show_one(how, "component.restart", row, identity=str(row["id"]), sentence=sentence)


def add_to(app: Typer[..., Any]) -> None:
    """Make these verbs of a noun."""
    app.command()(detach)
    app.command()(restart)
    app.command("log-level")(log_level)
