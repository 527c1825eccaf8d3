"""`aegis session export|import`: a session as one file."""

from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.files.capsules import Reader
from sessions.management import far_capsules, files, named, output, progress, session_tables, verbs
from sessions.management.output import How, Misused
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.services import capsules


@verb
@elsewhere(far_capsules.export)
def export(
    session: Reference,
    *,
    file: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to.")],
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Write a session into one file that proves itself, without its secrets.

    Examples: aegis session export demo -o demo.capsule;
    aegis session export demo --output /backups/demo.capsule --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.export")
    try:
        with files.whole(file) as made:
            done = capsules.export(
                principal=principal, session=row, file=made, progress=progress.told()
            )
            size = made.tell()
    except OSError as error:
        raise Misused(f"--output: {error.strerror}: {file}") from None
    manifest = done.manifest
    told = {"file": str(file), "digest": manifest.digest, "head": manifest.head, "size": size}
    far_capsules.show_export(How(is_json, is_quiet), {"session": str(row.pk), **told})


@elsewhere(far_capsules.bring)
def bring(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A capsule.")],
    *,
    key: Annotated[
        str, typer.Option(help="Its key here; its own without one, if it is free.")
    ] = "",
    team: Annotated[str, typer.Option(help="Its team.")] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a session of a file that another one was written into; nothing of it goes on by itself.

    Examples: aegis session import demo.capsule --key demo-again;
    aegis session import demo.capsule --team desk --json
    """
    principal = verbs.acting(as_user)
    # To prove it is work, which nobody has done who may not bring one.
    capsules.check_bringer(principal)
    try:
        with file.open("rb") as opened:
            tells = progress.told()
            made = capsules.bring(
                principal=principal,
                capsule=Reader(opened, progress=tells),
                key=key,
                team=team,
                progress=tells,
            ).session
    except OSError as error:
        raise Misused(f"{error.strerror}: {file}") from None
    [shown] = session_tables.shown([made])
    output.show_one(
        How(is_json, is_quiet),
        "session.import",
        shown,
        identity=str(made.pk),
        sentence=f"{output.state(made.state)}  {made.key}  {made.name}".rstrip(),
    )


def add_to(noun: Typer[Any, Any]) -> None:
    """Make what is done with capsules verbs of sessions."""
    noun.command()(export)
    noun.command("import")(verb(bring))
