"""`aegis run`: tables, somebody to sign in as, the server, and a session to look at."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from django.urls import reverse

from sessions.management import aegis_serve, demo, preparation
from sessions.management.aegis_serve import Host, Log, NoWorker, Open, Port, Processes, Program, say
from sessions.management.demo import Demo
from sessions.management.scenario import Pace
from sessions.management.servers import Server
from sessions.management.serving import Plan, Started

NoDemo = Annotated[bool, typer.Option("--no-demo", help="Serve without the demo session.")]
Data = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Replay the exchange files of this folder instead of simulating a market.",
    ),
]
Speed = Annotated[
    float, typer.Option(min=0.1, max=100, help="Seconds of the demo's story in one second.")
]
Seed = Annotated[int, typer.Option(help="The same seed, the same prices.")]


def run(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    server: Program = Server.UVICORN,
    processes: Processes = 1,
    is_open: Open = False,  # noqa: FBT002 -- a flag of the command line
    no_demo: NoDemo = False,  # noqa: FBT002 -- a flag of the command line
    no_worker: NoWorker = False,  # noqa: FBT002 -- a flag of the command line
    data: Data = None,
    speed: Speed = 1.0,
    seed: Seed = 7,
    log: Log = None,
) -> None:
    """
    Set everything up and serve, with a running session to look at.

    Examples: aegis run; aegis run --port 0 --speed 10
    """
    aegis_serve.show_log(log)
    plan = Plan(
        host,
        port,
        server,
        processes,
        is_open=is_open,
        is_flexible=True,
        has_worker=not no_worker,
    )
    shown = None if no_demo else partial(demo.prepared, data, Pace(speed, seed))
    aegis_serve.run(plan, beside=partial(_company, plan, shown))


@contextlib.contextmanager
def _company(
    plan: Plan, prepared: Callable[[], AbstractContextManager[Demo]] | None
) -> Iterator[Started]:
    """Tables and somebody to sign in as before the server, the demo beside it."""
    say(preparation.migrate())
    # At once: a password that is told only after all went well may never be told.
    say(f"Sign in as {preparation.first_administrator()}")
    with contextlib.ExitStack() as stack:
        shown = stack.enter_context(prepared()) if prepared else None

        def started(url: str) -> None:
            if shown is not None:
                shown.play(url)
            greet(plan, url, shown)

        yield started
    say("Stopped. The data stay; the next `aegis run` goes on with them.")


def greet(plan: Plan, url: str, shown: Demo | None) -> None:
    """Say what a newcomer needs."""
    if urlsplit(url).port != plan.port and plan.port:
        say(f"Port {plan.port} is taken, so this is another one.")
    page = reverse("admin:index")
    if shown is not None:
        page = reverse("admin:aegis_sessions_session_change", args=[shown.session.pk])
        # Where prices move at once.
        page += f"?tab=topics&topic={shown.played.prices}"
    say()
    say(f"  Aegis runs:  {url}{page}")
    if shown is not None:
        say(
            f"  Terminal:    ./aegis topic tail {shown.played.prices} --session {shown.session.key}"
        )
        if shown.approval_seconds:
            say(f"  Soon:        in about {shown.approval_seconds:.0f} seconds something needs you")
    say("  Stop:        Ctrl-C")
    say()
