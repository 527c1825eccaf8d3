"""`aegis component run`: a component written in Python, with its token and its address."""

import asyncio
import contextlib
import importlib
import inspect
import os
import sys
from collections.abc import Awaitable, Iterator
from datetime import timedelta
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit.errors import AegisError
from components.services import credentials
from sessions.management import client, named, output, verbs
from sessions.management.client import Client
from sessions.management.output import How, Misused
from sessions.management.verbs import Exit, Json, elsewhere, verb
from sessions.services import creation

LIFETIME = timedelta(days=1)

Program = Annotated[
    str, typer.Argument(metavar="MODULE:NAME", help="A Component, what makes one, or a coroutine.")
]
Of = Annotated[str, typer.Option("--session", help="Id, key, beginning of the id, or name.")]
Named = Annotated[
    str, typer.Option("--component", metavar="COMPONENT", help="The declared one that it is.")
]


def far_run(server: Client, *, program: str, session: str, component: str, is_json: bool) -> None:
    """Host a component for a session of another server."""
    body = {"component": component, "lifetime_seconds": int(LIFETIME.total_seconds())}
    made = server.send("POST", "sessions", session, "tokens", body=body)
    try:
        _host(server, program, made["session_token"])
    finally:
        with contextlib.suppress(AegisError):
            server.send("DELETE", "credentials", made["credential"]["id"])
    _tell(program, session, is_json=is_json)


@verb
@elsewhere(far_run)
def run(program: Program, *, session: Of, component: Named = "", is_json: Json = False) -> None:
    """
    Run a component of the SDK in this terminal until its session lets it go, or Ctrl-C.

    It gets a session token for a day, which ends with it, and the address of the running server.

    Examples: aegis component run desk.feeds:main --session demo;
    aegis component run desk.feeds:Prices --session demo --component prices
    """
    server, principal = client.running(), verbs.acting()
    row = named.session(principal, session, of="session.token")
    issued = creation.issue_token(
        principal=principal, session=row, component=component, lifetime=LIFETIME
    )
    try:
        _host(server, program, issued.secret)
    finally:
        credentials.revoke(principal=principal, credential=issued.credential.pk)
    _tell(program, session, is_json=is_json)


def _host(server: Client, program: str, token: str) -> None:
    with _environment(AEGIS_URL=server.at.url, AEGIS_SESSION_TOKEN=token):
        found = _named(program)
        made = found if hasattr(found, "serve") and not isinstance(found, type) else found()
        try:
            asyncio.run(_lived(made))
        except KeyboardInterrupt:
            output.say("The component has left; its session goes on.")
            raise typer.Exit(Exit.INTERRUPTED) from None


async def _lived(made: Any) -> None:
    if isinstance(made, Awaitable):
        await made
    elif hasattr(made, "serve"):
        await made.serve()
    elif inspect.iscoroutinefunction(getattr(made, "run", None)):
        await made.run()
    else:
        raise Misused(f"A {type(made).__name__} is no component: it has no serve() and no run().")


def _named(program: str) -> Any:
    """
    What a program is called as: MODULE:NAME, from this folder, too.

    :raises Misused: if it is not there
    """
    module, is_one, name = program.partition(":")
    if not is_one:
        raise Misused(f"{program} is not MODULE:NAME.")
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise Misused(f"{program} cannot be had: {error}.") from None
    finally:
        sys.path.remove(os.getcwd())


@contextlib.contextmanager
def _environment(**said: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def _tell(program: str, session: str, *, is_json: bool) -> None:
    sentence = f"{program} was let go by {session}"
    data = {"program": program, "session": session}
    output.show_one(How(is_json), "component.run", data, identity=program, sentence=sentence)


def add_to(app: Typer[Any, Any]) -> None:
    """Make it a verb of components."""
    app.command()(run)
