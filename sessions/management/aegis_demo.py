"""`aegis demo`: play it, look at what it made, remove exactly that."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.management import aegis_run, demo_reset, output, verbs
from sessions.management.aegis_run import Data, Seed, Speed
from sessions.management.aegis_serve import Host, Log, Port
from sessions.management.demo_reset import Made
from sessions.management.output import How, Misused
from sessions.management.verbs import DryRun, Json, Quiet, Yes, verb

app: Typer[..., Any] = Typer(
    help="The demo: play it, look at what it made, remove it.", invoke_without_command=True
)


class Played(StrEnum):
    """What is played: the story, or the exchange files of a folder."""

    FLASH_DIP = "flash-dip"
    REPLAY = "replay"


Scenario = Annotated[Played, typer.Option(help="The story, or the files of --data.")]


@app.callback()
def play(
    context: typer.Context,
    *,
    scenario: Scenario = Played.FLASH_DIP,
    data: Data = None,
    speed: Speed = 1.0,
    seed: Seed = 7,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    log: Log = None,
) -> None:
    """Set everything up and serve, with the demo beside it, as `aegis run` does."""
    if context.invoked_subcommand is None:
        _play(scenario, data=data, speed=speed, seed=seed, host=host, port=port, log=log)


@verb
def _play(scenario: Played, **told: Any) -> None:
    if (scenario is Played.REPLAY) is (told["data"] is None):
        raise Misused("--scenario replay and --data DIR belong together.")
    aegis_run.run(**told)


@app.command()
@verb
def status(*, is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show what there is of the demo.

    Examples: aegis demo status; aegis demo status --json
    """
    _show("demo.status", demo_reset.found(), How(is_json, is_quiet))


@app.command()
@verb
def reset(
    *, is_sure: Yes = False, is_dry: DryRun = False, is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Remove what the demo made, and nothing else.

    Examples: aegis demo reset --dry-run; aegis demo reset --yes
    """
    made, how = demo_reset.found(), How(is_json, is_quiet)
    if not is_dry:
        verbs.confirm(f"Remove {len(made.sessions)} sessions of the demo?", is_sure=is_sure)
        demo_reset.remove(made)
    _show("demo.reset", made, how, dry_run=is_dry)


def _show(name: str, made: Made, how: How, **meta: Any) -> None:
    rows = [(kind, one) for kind, names in made.words().items() for one in names]
    output.show(
        how,
        name,
        data=lambda: [{"kind": kind, "name": one} for kind, one in rows],
        ids=[one for _, one in rows],
        table=lambda: {"KIND": [kind for kind, _ in rows], "NAME": [one for _, one in rows]},
        **meta,
    )
