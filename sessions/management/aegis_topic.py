"""`aegis topic`: what is said in the sessions of a running server."""

import contextlib
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.management import client, output, verbs
from sessions.management.output import How
from sessions.management.verbs import Json, Quiet, verb
from sessions.selectors import sessions

app: Typer[..., Any] = Typer(help="Topics: what is said in the sessions of the running server.")


class Form(StrEnum):
    """What a file of records can be."""

    NDJSON = "ndjson"
    CSV = "csv"


WAIT_SECONDS = 10
PAGE = 200

Session = Annotated[str, typer.Option(help="Id, key, beginning of the id, or name.")]


@app.command("list")
@verb
def several(*, session: Session = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the topics of a session, or of all.

    Example: aegis topic list --session demo
    """
    server = client.running()
    if session:
        answer = server.get("sessions", _id(session), "topics")
    else:
        answer = server.get("topics", limit=PAGE)
    found = answer["data"]
    output.show(
        How(is_json, is_quiet),
        "topic.list",
        data=lambda: found,
        ids=[one["name"] for one in found],
        table=lambda: table(found),
        has_more=bool(answer.get("next")),
    )


@app.command()
@verb
def tail(
    topic: Annotated[str, typer.Argument(help="Its name.")],
    *,
    session: Annotated[str, typer.Option(help="Id, key, beginning of the id, or name.")],
    begin: Annotated[
        str, typer.Option("--from", help="latest, latest-n, earliest, seq:n or time:ms.")
    ] = "latest",
    count: Annotated[int, typer.Option(min=0, help="End after so many records; 0 is never.")] = 0,
    is_json: Json = False,
) -> None:
    """
    Follow a topic; one record per line.

    Example: aegis topic tail klines.BTCUSDT.1m --session demo --from latest-10 --json
    """
    server, row_id = client.running(), _id(session)
    follow = {"start": begin, "limit": PAGE, "wait": WAIT_SECONDS}
    seen = 0
    while not count or seen < count:
        page = server.get("sessions", row_id, "topics", topic, **follow)
        _warn(page)
        records = page["data"][: count - seen] if count else page["data"]
        for record in records:
            _print(record, is_json=is_json)
        seen += len(records)
        follow["after"] = page["next"] or follow.get("after", "")


@app.command()
@verb
def export(
    topic: Annotated[str, typer.Argument(help="Its name.")],
    *,
    session: Annotated[str, typer.Option(help="Id, key, beginning of the id, or name.")],
    form: Annotated[Form, typer.Option("--format", help="ndjson or csv.")] = Form.NDJSON,
    begin: Annotated[str, typer.Option("--from", help="Unix ms or ISO 8601.")] = "",
    end: Annotated[str, typer.Option("--to", help="Unix ms or ISO 8601.")] = "",
    after: Annotated[str, typer.Option(help="A position, epoch:seq:ck.")] = "",
    to_file: Annotated[Path | None, typer.Option("--output", help="A file to write.")] = None,
) -> None:
    """
    Write the records of a topic as NDJSON or CSV.

    Example: aegis topic export klines.BTCUSDT.1m --session demo --format csv --output klines.csv
    """
    asked = {"format": form.value, "from": begin, "to": end, "after": after}
    row_id = _id(session)
    pieces = client.running().stream("sessions", row_id, "topics", topic, "export", **asked)
    with to_file.open("wb") if to_file else contextlib.nullcontext(sys.stdout.buffer) as file:
        for piece in pieces:
            file.write(piece)


def table(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The columns of a list of topics."""
    live = [one["live"] or {} for one in found]
    return {
        "TOPIC": [one["name"] for one in found],
        "HEAD": [str(one["head"]) for one in found],
        "RECORDED": ["yes" if one["is_recorded"] else "no" for one in found],
        "SUBSCRIBERS": [str(one.get("subscribers", "–")) for one in live],
        "RECORDS": [str(one.get("records", "–")) for one in live],
        "DROPPED": [str(one.get("dropped", "–")) for one in live],
        "SESSION": [output.key_of(one["session_id"], one["session_id"]) for one in found],
    }


def _id(reference: str) -> str:
    """The id: beginnings and names are known here, the server takes ids and keys."""
    return str(sessions.resolve(verbs.acting(), reference).pk)


def _warn(page: dict[str, Any]) -> None:
    told = page["notice"]
    if told is None:
        return
    places = [str(told[name]) for name in ("first", "last") if told[name] is not None]
    output.say(f"{told['kind']}: {told['reason']} {' to '.join(places)}".rstrip())


def _print(record: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        output.line(record)
    else:
        output.plain(f"{record['seq']}  {record['ts']}  {output.dump(record['data'])}")
