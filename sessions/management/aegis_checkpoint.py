"""`aegis checkpoint`: the positions that sessions can come back to; and `session recover|fork`."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import checkpoint_documents as documents
from sessions.core.checkpoints import Effects
from sessions.management import (
    checkpoint_tables,
    far_checkpoints,
    named,
    session_redrive,
    there,
    verbs,
)
from sessions.management.checkpoint_tables import SHAPE
from sessions.management.listing import Limit
from sessions.management.output import How
from sessions.management.session_options import Reason, Reference
from sessions.management.several import Several
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.selectors import beginnings, sessions
from sessions.selectors import checkpoints as reading
from sessions.services import checkpoints, forks, recovery
from sessions.services.forks import Wish
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Checkpoints: take, list, show, compare and remove them.")

Name = Annotated[
    str,
    typer.Argument(metavar="CHECKPOINT", help="Its id, the beginning of it, or label, or latest."),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="CHECKPOINT...", help="Ids, or beginnings of them, or labels."),
]
LATEST = reading.LATEST


@app.command()
@verb
@elsewhere(far_checkpoints.create)
def create(
    session: Reference,
    *,
    label: Annotated[str, typer.Option(help="What it is called.")] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take a checkpoint of where a session is now.

    Examples: aegis checkpoint create demo --label 'before the opening';
    aegis checkpoint create demo --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="checkpoint.create")
    made = checkpoints.create(principal=principal, session=row, label=label)
    SHAPE.one(How(is_json, is_quiet), "create", made)


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "sessions", ":session", "checkpoints"))
def several(
    session: Reference,
    *,
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List the checkpoints of a session, the newest first.

    Examples: aegis checkpoint list demo; aegis checkpoint list demo --limit 5 --json
    """
    principal = verbs.acting(as_user)
    rows = reading.readable(principal, sessions.resolve(principal, session))
    SHAPE.newest(How(is_json, is_quiet), "list", rows, limit=limit)


@app.command()
@verb
@elsewhere(far_checkpoints.show)
def show(
    session: Reference,
    checkpoint: Name = LATEST,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show what a checkpoint holds.

    Examples: aegis checkpoint show demo latest --json;
    aegis checkpoint show demo 'before the opening'
    """
    principal = verbs.acting(as_user)
    found = sessions.resolve(principal, session)
    row = reading.find(principal, found, beginnings.checkpoint(found, checkpoint))
    held = codecs.show(documents.document(row))
    SHAPE.one(How(is_json, is_quiet), "show", row, **held)


@app.command()
@verb
@elsewhere(far_checkpoints.diff)
def diff(
    session: Reference,
    checkpoint: Name = LATEST,
    to: Annotated[str, typer.Argument(metavar="OTHER", help="Another one, or now.")] = "now",
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Compare a checkpoint with another one, or with the session as it is now.

    Examples: aegis checkpoint diff demo 'before the opening';
    aegis checkpoint diff demo 'before the opening' latest --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    other = "" if to == documents.NOW else beginnings.checkpoint(row, to)
    found = reading.between(principal, row, beginnings.checkpoint(row, checkpoint), other)
    difference = codecs.show(documents.compared(found))
    checkpoint_tables.show_difference(How(is_json, is_quiet), difference)


@app.command()
@verb
@elsewhere(far_checkpoints.remove)
def remove(
    session: Reference,
    checkpoint: Names,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let checkpoints go; what was made from them stays.

    Examples: aegis checkpoint remove demo 'before the opening' --yes;
    aegis checkpoint remove demo 'before the opening' --dry-run
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="checkpoint.delete", is_dry=is_dry)
    SHAPE.remove(
        How(is_json, is_quiet),
        checkpoint,
        read=lambda one: reading.find(principal, row, beginnings.checkpoint(row, one)),
        act=lambda one: (
            checkpoints.delete(
                principal=principal, session=row, checkpoint=beginnings.checkpoint(row, one)
            ).checkpoint
        ),
        is_sure=is_sure,
        is_dry=is_dry,
    )


@verb
@elsewhere(far_checkpoints.recover)
def recover(
    session: Reference,
    checkpoint: Name = LATEST,
    *,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Bring a paused, stopped or failed session back to a checkpoint, paused.

    Examples: aegis session recover demo 'before the opening';
    aegis session recover demo latest --reason 'It went wrong.' --dry-run
    """
    principal = verbs.acting(as_user)
    one = Several("recover", principal, [session], How(is_json, is_quiet))
    one.run(
        lambda row: recovery.recover(
            principal=principal,
            session=row,
            checkpoint=beginnings.checkpoint(row, checkpoint),
            reason=reason,
        ),
        is_dry=dry_run,
        wait=None,
        timeout=0.0,
    )


@verb
@elsewhere(far_checkpoints.fork)
def fork(
    session: Reference,
    checkpoint: Name = LATEST,
    *,
    key: Annotated[str, typer.Option(help="The key of the new one.")] = "",
    name: Annotated[str, typer.Option(help="Its name.")] = "",
    effects: Annotated[Effects, typer.Option(help="What its tools do.")] = Effects.RECORDED,
    replay: Annotated[
        bool, typer.Option("--replay", help="Replay what was recorded since.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make another session of a checkpoint; the first one stays as it is.

    Examples: aegis session fork demo 'before the opening' --effects recorded;
    aegis session fork demo latest --key demo-again --replay
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.fork")
    wish = Wish(key=key, name=name, effects=effects, is_replay=replay)
    one = beginnings.checkpoint(row, checkpoint)
    made = forks.fork(principal=principal, session=row, checkpoint=one, wish=wish).session
    session_redrive.made("fork", made, How(is_json, is_quiet))


def add_to(noun: Typer[Any, Any]) -> None:
    """Make what is done with checkpoints verbs of sessions."""
    for command in (recover, fork, session_redrive.redrive):
        noun.command()(command)
