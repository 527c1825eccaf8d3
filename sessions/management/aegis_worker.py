"""`aegis worker`: carries out runs beside the servers."""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from django.db import connection
from django.utils.module_loading import import_string

from aegis_project import database
from sessions.management import aegis_serve, children, preparation
from sessions.management.aegis_serve import Log, say
from sessions.management.children import Child
from sessions.management.serving import CannotServe
from sessions.management.stopping import on_signal
from streaming.services import leases

Count = Annotated[int, typer.Option("--processes", min=1, help="Number of worker processes.")]

COMMAND = ["sessions.management.worker_process"]
# Longer than a worker takes to write down what its tools have begun.
END_SECONDS = 27.0
# The composition, which stands above this package.
WORK = "aegis_project.node.work"


def worker(processes: Count = 1, log: Log = None) -> None:
    """
    Carry out runs, and take over those of processes that are gone.

    Any number on PostgreSQL, on as many machines; what is at work when it ends is let go.

    Examples: aegis worker; aegis worker --processes 4
    """
    aegis_serve.show_log(log)
    try:
        preparation.refuse_unless_migrated()
        _refuse_unless_possible(processes)
    except CannotServe as error:
        sentence, hint = error.args
        say(f"error: {sentence}")
        say(f"  next: {hint}")
        raise typer.Exit(1) from None
    say("Aegis carries out runs  (Ctrl-C stops it; others go on with what it lets go)")
    if processes > 1:
        _keep(processes)
    else:
        run()


def run() -> None:
    """Work in this process until SIGTERM or SIGINT."""
    asyncio.run(_work())
    database.close_pools()


async def _work() -> None:
    work: Callable[..., Awaitable[None]] = import_string(WORK)
    is_over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, is_over.set)
    await work(url=f"{leases.BESIDE}worker-{os.getpid()}", until=is_over)


def _refuse_unless_possible(processes: int) -> None:
    if processes > 1 and connection.vendor == "sqlite":
        raise CannotServe(
            "Several workers need PostgreSQL; on SQLite one process writes at a time.",
            "Set AEGIS_DATABASE_URL=postgresql://…, or leave --processes out.",
        )


def _keep(count: int) -> None:
    """Keep so many processes working until a signal, then let each of them end."""
    kept = [Child(f"worker-{n}", COMMAND, environment=os.environ, log=None) for n in range(count)]
    is_over = threading.Event()
    with on_signal(is_over.set, give_up=lambda: None):
        for child in kept:
            child.start()
        is_over.wait()
        children.stop(kept, within_seconds=END_SECONDS)
