"""`aegis serve`: the server alone."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Annotated

import typer
from django.conf import settings

from sessions.management import preparation, serving
from sessions.management.servers import Server
from sessions.management.serving import CannotServe, Plan, Started

APPS = ("aegis_project", "sessions", "components", "streaming")

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")]
Program = Annotated[Server, typer.Option(help="Program that speaks HTTP and WebSocket.")]
Processes = Annotated[int, typer.Option(min=1, help="Number of server processes.")]
Open = Annotated[bool, typer.Option("--open", help="Let this machine in without credentials.")]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Leave runs to `aegis worker`.")]


class Level(StrEnum):
    """From which level on the log is shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Log = Annotated[Level | None, typer.Option(help="Show the log from this level on.")]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    server: Program = Server.UVICORN,
    processes: Processes = 1,
    is_open: Open = False,  # noqa: FBT002 -- a flag of the command line
    no_worker: NoWorker = False,  # noqa: FBT002 -- a flag of the command line
    log: Log = None,
) -> None:
    """
    Serve the API, the sockets and the admin, and carry out runs.

    Examples: aegis serve; aegis serve --port 8001 --processes 2 --no-worker
    """
    show_log(log)
    plan = Plan(
        host=host,
        port=port,
        server=server,
        processes=processes,
        is_open=is_open,
        has_worker=not no_worker,
    )
    run(plan, beside=_alone)


def run(plan: Plan, *, beside: Callable[[], AbstractContextManager[Started]]) -> None:
    """Serve, and end the command with the exit code that says how it went."""
    try:
        is_good = serving.serve(plan, beside=beside)
    except CannotServe as error:
        sentence, hint = error.args
        say(f"error: {sentence}")
        say(f"  next: {hint}")
        raise typer.Exit(1) from None
    raise typer.Exit(0 if is_good else 1)


@contextlib.contextmanager
def _alone() -> Iterator[Started]:
    preparation.refuse_unless_migrated()
    yield lambda url: say(f"Aegis serves at {url}  (Ctrl-C stops it)")


def say(line: str = "") -> None:
    """Tell the person at the terminal; standard output is for data."""
    typer.echo(line, err=True)


def show_log(level: Level | None) -> None:
    """Show the log from this level on; unasked, only what somebody has to look at."""
    if level is None:
        is_wanted = settings.IS_PRODUCTION or "log_level" in settings.ENVIRONMENT.model_fields_set
        level = None if is_wanted else Level.WARNING
    if level is Level.WARNING or level is Level.ERROR:
        # A page that is not there is the visitor's affair.
        logging.getLogger("django.request").setLevel(logging.ERROR)
    if level is not None:
        for name in APPS:
            logging.getLogger(name).setLevel(level.upper())
