"""`aegis session diff`: what was done in two sessions, side by side."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit.errors import ValidationFailed
from sessions.api import comparing as documents
from sessions.management import output, verbs
from sessions.management.client import Client
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import comparing, sessions
from streaming.api import codecs

Line = Mapping[str, Any]
Other = Annotated[
    str, typer.Argument(metavar="OTHER", help="Without one, the session that it was made of.")
]
Offset = Annotated[int, typer.Option(min=0, help="Leave out so many lines.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="At most so many lines.")]
MARKS = {"same": "=", "differs": "!", "left": "<", "right": ">"}


def far(
    server: Client,
    *,
    session: str,
    other: str,
    offset: int,
    limit: int,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """The same of two sessions there."""
    asked = {"with": other, "offset": offset, "limit": limit}
    _show(server.get("sessions", session, "compare", **asked), How(is_json, is_quiet))


@verb
@elsewhere(far)
def diff(
    session: Reference,
    other: Other = "",
    *,
    offset: Offset = 0,
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Compare what was done in two sessions: messages, runs, calls, decisions, files and errors.

    Examples: aegis session diff demo demo-fork; aegis session diff demo-fork --limit 20 --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    beside = comparing.other_of(principal, row, other)
    if beside is None:
        raise ValidationFailed("It was made of no other: say which one.", field="with")
    found = comparing.compare(principal, row, beside)
    shown = codecs.show(documents.document(found, offset=offset, limit=limit))
    _show(shown, How(is_json, is_quiet))


def _show(shown: Mapping[str, Any], how: How) -> None:
    if how.is_json or how.is_quiet:
        output.show_one(how, "session.diff", shown, identity=str(shown["common"]), sentence="")
        return
    lines = shown["data"]
    output.tabulate(
        {
            "": [MARKS[one["verdict"]] for one in lines],
            shown["left"]: [_step(one["left"]) for one in lines],
            shown["right"]: [_step(one["right"]) for one in lines],
            "DIFFERENCE": [_differences(one) for one in lines],
        }
    )
    line = f"They part at line {shown['common'] + 1} of {shown['count']}."
    output.plain("Nothing differs." if shown["is_same"] else line)
    if shown["has_more"]:
        output.say(f"There are {shown['count']} lines; see --offset and --limit.")
    if shown["is_cut"]:
        output.say(f"Only the first {comparing.MOST} steps of each are compared.")


def _step(step: Line | None) -> str:
    return f"{step['seq']}  {step['type']}" if step else ""


def _differences(line: Line) -> str:
    told = [
        f"{one['path'].lstrip('/')}: {output.dump(one['before'])} → {output.dump(one['after'])}"
        for one in line["differences"]
    ]
    return "; ".join(told)


def add_to(noun: Typer[Any, Any]) -> None:
    """Make comparing a verb of sessions."""
    noun.command()(diff)
