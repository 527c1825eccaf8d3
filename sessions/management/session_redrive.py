"""`aegis session redrive` and `replay drive`: sending once more what a session recorded."""

from typing import Annotated, Any

import typer

from sessions.management import named, output, session_tables, verbs
from sessions.management.aegis_clock import SAME, From, To
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.models import Session
from sessions.services import redrives
from sessions.services.redrives import Drive


def _far(
    server: Client,
    *,
    session: str,
    from_: str,
    topic: list[str] | None,
    is_json: bool,
    is_quiet: bool,
    **given: Any,
) -> None:
    body = {name: value for name, value in given.items() if value}
    body |= {"from": from_} if from_ else {}
    row = server.send("POST", "sessions", session, "redrive", body={**body, "topics": topic or []})
    tell("redrive", row, How(is_json, is_quiet))


@verb
@elsewhere(_far)
def redrive(
    session: Reference,
    *,
    key: Annotated[str, typer.Option(help="The key of the new one.")] = "",
    name: Annotated[str, typer.Option(help="Its name.")] = "",
    speed: Annotated[float, typer.Option(min=0, max=100, help="0.25 to 100; 0: no limit.")] = 0.0,
    from_: From = SAME,
    to: To = SAME,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="Only these topics or patterns.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="At the end begin anew.")] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a session that sends what another one recorded to components of its own.

    Examples: aegis session redrive demo --speed 10 --key demo-again;
    aegis session redrive demo --topic 'prices.*' --from 2024-08-08 --loop
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.redrive")
    drive = Drive(
        key=key,
        name=name,
        speed=speed,
        from_=from_ or 0,
        to=to or 0,
        topics=tuple(topic or ()),
        loop=loop,
    )
    done = redrives.redrive(principal=principal, session=row, drive=drive).session
    made("redrive", done, How(is_json, is_quiet))


def made(name: str, session: Session, how: How) -> None:
    """Tell of a session that was made of another one."""
    [shown] = session_tables.shown([session])
    tell(name, shown, how)


def tell(name: str, row: Document, how: How) -> None:
    """Tell of a session that a server made of another one."""
    sentence = f"{output.state(row['state'])}  {row['key']}  {row['name']}"
    output.show_one(how, f"session.{name}", row, identity=str(row["id"]), sentence=sentence)
