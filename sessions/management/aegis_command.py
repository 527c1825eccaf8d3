"""`aegis command`: an envelope of seed 000, carried out as its own interface does."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

import typer

from aegis_project.kit.errors import AegisError
from sessions.dialects import daemon, envelope
from sessions.management import output, session_options, verbs
from sessions.management.client import Client
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb

NAME = "command"


def _far(
    server: Client, *, name: str, data: str, request_id: str, is_json: bool, is_quiet: bool
) -> None:
    said = {
        "request_id": request_id or uuid4().hex,
        "command": name,
        "payload": session_options.mapping(data, option="--data"),
    }
    answer, error = server.command(said)
    _tell(How(is_json, is_quiet), answer, error)


@verb
@elsewhere(_far)
def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A command of seed 000, such as SESSION_START.")
    ],
    *,
    data: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="What it is about: a JSON object.")
    ] = "",
    request_id: Annotated[
        str, typer.Option("--request-id", help="What the answer names; made up without one.")
    ] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Carry out a command of seed 000 and print the envelope that answers it.

    Examples: aegis command SESSION_LIST; aegis command SESSION_START --data '{"session_id": "demo"}'
    """
    said = {"command": name, "payload": session_options.mapping(data, option="--data")}
    given = request_id or uuid4().hex
    asked = envelope.read({**said, "request_id": given}, request_id=given)
    done = daemon.carried_out(verbs.acting(as_user), asked)
    _tell(How(is_json, is_quiet), done.answer, done.error)


def _tell(how: How, answer: Mapping[str, Any], error: AegisError | None) -> None:
    """Print an answer; one that refuses says why beside it, and ends with the code of that."""
    sentence = output.dump(output.picked(answer))
    output.show_one(how, NAME, answer, identity=answer["status"], sentence=sentence)
    if error is not None:
        verbs.tell(error)
        raise typer.Exit(verbs.exit_code(error))
