"""`aegis schema`: what commands print with `--json`, as JSON schemas."""

from typing import Annotated

import typer

from sessions.management import output, schemas
from sessions.management.output import How, Misused
from sessions.management.verbs import Json, Quiet, elsewhere, verb

Words = Annotated[
    list[str] | None, typer.Argument(metavar="[COMMAND]", help="A command, such as session list.")
]


@verb
@elsewhere()
def schema(command: Words = None, *, is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Print the JSON schema of what a command prints with --json; list them all without one.

    Examples: aegis schema session list; aegis schema --json
    """
    if command:
        name = schemas.named(" ".join(command))
        if not schemas.is_published(name):
            raise Misused(f"{name} has no schema; see aegis schema.")
        output.line(schemas.schema(name))
        return
    names = sorted([*schemas.DOCUMENTS, *schemas.LINES])
    words = [name.replace(".", " ") for name in names]
    output.show(
        How(is_json, is_quiet),
        "schema",
        data=lambda: [
            {"command": said, "schema": f"aegis.{name}/1", "is_stream": name in schemas.LINES}
            for said, name in zip(words, names, strict=True)
        ],
        ids=names,
        table=lambda: {"COMMAND": words, "SCHEMA": [f"aegis.{name}/1" for name in names]},
    )
