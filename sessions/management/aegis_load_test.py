"""`aegis load-test`: how a running server bears a load, and whether that is good enough."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from sessions.core import slo
from sessions.core.lifecycle import Environment
from sessions.management import client, load, output, verbs
from sessions.management.client import NEAR, Client
from sessions.management.load import Load
from sessions.management.output import How, Misused
from sessions.management.verbs import Exit, Json, Quiet, elsewhere, verb
from sessions.services import creation, lifecycle
from sessions.services.creation import Draft

MOST_DELIVERIES = 2_000_000
NAME = "load-test"

Sessions = Annotated[int, typer.Option(min=1, max=200, help="How many sessions.")]
Parts = Annotated[
    int, typer.Option(min=2, max=20, help="Components of each: one publishes, others read.")
]
Rate = Annotated[float, typer.Option(min=0.1, max=1000, help="Records a second in each session.")]
Duration = Annotated[float, typer.Option(min=1, max=600, help="Seconds.")]
Slo = Annotated[
    list[str],
    typer.Option("--slo", metavar="LIMIT", help="lag_p95=250ms, also p50, p99, max; missing=0."),
]
Anywhere = Annotated[bool, typer.Option("--anywhere", help="Also a server on another machine.")]

Places = Callable[[int], AbstractContextManager[list[str]]]


def far_load_test(server: Client, **given: Any) -> None:
    """Load another server."""
    _test(server, lambda count: _there(server, count), **given)


@verb
@elsewhere(far_load_test)
def load_test(
    *,
    sessions: Sessions = 5,
    components: Parts = 3,
    rate: Rate = 20.0,
    duration: Duration = 10.0,
    limits: Slo = [],  # noqa: B006 -- typer reads it and never changes it
    anywhere: Anywhere = False,
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Load the running server with sessions of its own, and measure; 9 when a limit is missed.

    The sessions are removed again. A server that is not on this machine has to be meant.

    Examples: aegis load-test --sessions 50 --rate 100 --duration 60 --slo lag_p95=250ms;
    aegis load-test --slo missing=0 --json
    """
    _test(
        client.running(),
        _here,
        sessions=sessions,
        components=components,
        rate=rate,
        duration=duration,
        limits=limits,
        anywhere=anywhere,
        is_json=is_json,
        is_quiet=is_quiet,
    )


def _test(
    server: Client,
    places: Places,
    *,
    sessions: int,
    components: int,
    rate: float,
    duration: float,
    limits: Sequence[str],
    anywhere: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    asked, wanted = Load(sessions, components, rate, duration), [slo.read(one) for one in limits]
    if asked.deliveries > MOST_DELIVERIES:
        raise Misused(f"{asked.deliveries} deliveries are too many; {MOST_DELIVERIES} at most.")
    if urlsplit(server.at.url).hostname not in NEAR and not anywhere:
        raise Misused(f"{server.at.url} is not on this machine; say --anywhere if it is meant.")
    output.say(f"{sessions} sessions, {components} components each, {rate:g}/s, {duration:g} s")
    with places(sessions) as tokens:
        begun = time.monotonic()
        found = load.run(server.at.url, tokens, asked)
    missing = asked.deliveries - len(found.lags)
    figures = slo.figures(found.lags, missing=missing)
    missed = [one.name for one in wanted if not one.is_met(figures)]
    data = {
        "sessions": sessions,
        "components": components,
        "rate": rate,
        "seconds": round(time.monotonic() - begun, 3),
        "sent": found.sent,
        "delivered": len(found.lags),
        **figures,
        "missing": missing,
        "missed": missed,
    }
    lines = [f"{name:10} {_figure(name, value)}" for name, value in data.items()]
    how = How(is_json, is_quiet)
    output.show_one(how, NAME, data, identity=" ".join(missed), sentence="\n".join(lines))
    if missed:
        output.say(f"Missed: {', '.join(missed)}")
        raise typer.Exit(Exit.CHECK_FAILED)


def _figure(name: str, value: Any) -> str:
    if name in slo.SHARES:
        return "–" if value is None else f"{value * 1000:.1f} ms"
    return " ".join(value) or "nothing" if isinstance(value, list) else f"{value:g}"


@contextmanager
def _here(count: int) -> Iterator[list[str]]:
    principal = verbs.acting()
    made = []
    try:
        for number in range(count):
            draft = Draft(name=f"{NAME} {number + 1}", environment=Environment.TEST)
            made.append(creation.create(principal=principal, draft=draft, with_token=True))
            lifecycle.start(principal=principal, session=made[-1].session)
        yield [one.secret for one in made]
    finally:
        for one in made:
            lifecycle.delete(principal=principal, session=one.session)


@contextmanager
def _there(server: Client, count: int) -> Iterator[list[str]]:
    made: list[Any] = []
    try:
        for number in range(count):
            body = {"name": f"{NAME} {number + 1}", "environment": "test", "token": True}
            made.append(server.send("POST", "sessions", body=body))
            server.send("POST", "sessions", made[-1]["id"], "start")
        yield [one["session_token"] for one in made]
    finally:
        for one in made:
            server.send("DELETE", "sessions", one["id"])
