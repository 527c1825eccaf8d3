"""`aegis launcher`: runs the programs of components."""

import asyncio
import signal
from typing import Annotated

import typer
from django.conf import settings

from aegis_project import database
from components.launcher.job import Launcher, place
from components.launcher.posting import Poster
from sessions.management import address, aegis_serve, preparation
from sessions.management.aegis_serve import Log, say
from sessions.management.serving import CannotServe
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub
from streaming.jobs import LeaseJob, hint_receiver
from streaming.node import Node
from streaming.services import leases

Url = Annotated[
    str, typer.Option(help="Address of the server; else the one that runs on this home.")
]


def launcher(url: Url = "", log: Log = None) -> None:
    """
    Run the programs of components while their sessions want them.

    Programs go on when it ends, for the launcher that comes next; without one they are ended after
    AEGIS_LAUNCHER_PATIENCE_SECONDS.

    Examples: aegis launcher; aegis launcher --url https://aegis.example
    """
    aegis_serve.show_log(log)
    try:
        preparation.refuse_unless_migrated()
    except CannotServe as error:
        sentence, hint = error.args
        say(f"error: {sentence}")
        say(f"  next: {hint}")
        raise typer.Exit(1) from None
    say("Aegis runs programs  (Ctrl-C stops it; programs go on for the next launcher)")
    asyncio.run(_run(url))
    database.close_pools()


async def _run(given: str) -> None:
    """Be a node that serves nobody, until a signal comes."""

    def url() -> str:
        return given or _served_at()

    job = Launcher(url=url, publish=Poster(url).publish)
    node = Node(
        hub=Hub(engines=[MemoryEngine()]),
        jobs=[LeaseJob(), hint_receiver(), job],
        url=f"{leases.BESIDE}{place()}",
    )
    is_over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, is_over.set)
    await node.start()
    try:
        await is_over.wait()
    finally:
        node.is_draining = True
        await job.stop()
        await node.stop()


def _served_at() -> str:
    environment = settings.ENVIRONMENT
    found = address.read(environment.home)
    return environment.public_url or (found.url if found else "")
