"""`aegis replay`: the past of a session, looked at or sent again."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from django.utils import timezone
from django_typer.management import Typer

from sessions.api import reviews
from sessions.management import instants, output, session_redrive, verbs
from sessions.management.client import Client
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import reviewing, sessions
from streaming.api import codecs
from streaming.core.position import MAX_SEQ

app: Typer[..., Any] = Typer(help="Replay: review a session, or send again what it recorded.")

At = Annotated[
    str,
    typer.Option(metavar="SEQ|MOMENT", help="A number of its ledger, -5m, 14:02 or ISO 8601."),
]


def _far(server: Client, *, session: str, at: str, is_json: bool, is_quiet: bool) -> None:
    seq = _seq(at)
    asked: dict[str, Any] = {"seq": seq} if seq else {}
    if at and not seq:
        asked = {"time": instants.read(at, option="--at").isoformat()}
    _tell(How(is_json, is_quiet), server.get("sessions", session, "review", **asked))


@app.command()
@verb
@elsewhere(_far)
def review(
    session: Reference,
    *,
    at: At = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say how everything in a session stood at a position or a moment of its past; nothing runs.

    Examples: aegis replay review demo --at 42; aegis replay review demo --at=-5m --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    if seq := _seq(at):
        found = reviewing.stood_behind(principal, row, seq)
    else:
        moment = instants.read(at, option="--at") if at else timezone.now()
        found = reviewing.stood(principal, row, at=reviewing.milliseconds(moment))
    _tell(How(is_json, is_quiet), codecs.show(reviews.document(row.pk, found)))


def _seq(at: str) -> int:
    """The number of an event, if it is one."""
    is_number = at.isascii() and at.isdecimal() and len(at) < len(str(MAX_SEQ))
    return int(at) if is_number else 0


def _tell(how: How, row: Mapping[str, Any]) -> None:
    if not (how.is_json or how.is_quiet):
        output.say(f"At {row['at']}, event {row['seq']} {row['type']}".rstrip())
    lines = [("session", row["state"] or "not there yet")]
    for group in ("participants", "runs", "tool_calls"):
        lines += [(name, word) for name, word in row[group].items()]
    lines += [(one["topic"], output.dump(one["data"])) for one in row["topics"]]
    lines += [("said", row["message"])] if row["message"] else []
    sentence = "\n".join(output.readable(f"{name:24} {what}") for name, what in lines)
    output.show_one(how, "replay.review", row, identity=str(row["seq"]), sentence=sentence)


app.command("drive", help="The same as session redrive.")(session_redrive.redrive)
