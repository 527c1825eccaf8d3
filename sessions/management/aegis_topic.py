"""`aegis topic`: what is said in the sessions of a running server."""

import contextlib
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit import strict
from sessions.management import (
    client,
    files,
    instants,
    output,
    progress,
    topic_figures,
    topic_places,
    topic_tail,
)
from sessions.management.client import PIECE_BYTES
from sessions.management.output import How, Misused
from sessions.management.topic_figures import reader_table
from sessions.management.topic_places import AnySession
from sessions.management.verbs import Json, Quiet, elsewhere, verb
from streaming.core.errors import TopicNotFound

app: Typer[..., Any] = Typer(help="Topics: what is said in the sessions of the running server.")


class Form(StrEnum):
    """What a file of records can be."""

    NDJSON = "ndjson"
    CSV = "csv"


# How many records a file has at most.
RECORDS = "Aegis-Records"
PAGE = 200
BATCH = 1000
MAX_BYTES = 1024 * 1024

Session = Annotated[str, typer.Option(help="Id, key, beginning of the id, or name.")]


@app.command("list")
@verb
@elsewhere()
def several(
    *,
    session: AnySession = "",
    rates: Annotated[bool, typer.Option("--rates", help="How much is said in each now.")] = False,
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List the topics of a session, or of all.

    Examples: aegis topic list --session demo; aegis topic list --rates
    """
    server = client.running()
    if session:
        answer = server.get("sessions", topic_places.identity(session), "topics")
    else:
        answer = server.get("topics", limit=PAGE)
    found = answer["data"]
    output.show(
        How(is_json, is_quiet),
        "topic.list",
        data=lambda: found,
        ids=[one["name"] for one in found],
        table=lambda: (topic_figures.rate_table if rates else table)(found),
        has_more=bool(answer.get("next")),
    )


@app.command()
@verb
@elsewhere()
def export(
    topic: Annotated[str, typer.Argument(help="Its name.")],
    *,
    session: Session,
    form: Annotated[Form, typer.Option("--format", help="ndjson or csv.")] = Form.NDJSON,
    begin: Annotated[str, typer.Option("--from", help="-1h, 14:02, unix ms or ISO 8601.")] = "",
    end: Annotated[str, typer.Option("--to", help="-1h, 14:02, unix ms or ISO 8601.")] = "",
    after: Annotated[str, typer.Option(help="A position, epoch:seq:ck.")] = "",
    to_file: Annotated[Path | None, typer.Option("--output", help="A file to write.")] = None,
) -> None:
    """
    Write the records of a topic as NDJSON or CSV.

    Examples: aegis topic export klines.BTCUSDT.1m --session demo --format csv --output klines.csv;
    aegis topic export prices.BTC --session demo --from -1h
    """
    asked = {
        "format": form.value,
        "from": _instant(begin, option="--from"),
        "to": _instant(end, option="--to"),
        "after": after,
    }
    at = ["sessions", topic_places.identity(session), "topics", topic, "export"]
    tells, written = progress.told(), 0
    try:
        with (
            files.whole(to_file) if to_file else contextlib.nullcontext(sys.stdout.buffer) as file,
            client.running().asked("GET", at, query=asked) as response,
        ):
            total = int(response.headers.get(RECORDS, 0))
            while piece := response.read(PIECE_BYTES):
                file.write(piece)
                # A record is a line; of a table the first line is none.
                written += piece.count(b"\n")
                tells("records", min(written, total), total)
    except OSError as error:
        place = f"--output: {error.strerror}: {to_file}" if to_file else f"{error.strerror}."
        raise Misused(place) from None


def _instant(text: str, *, option: str) -> str:
    is_said = bool(text) and not text.isdecimal()
    return instants.read(text, option=option).isoformat() if is_said else text


@app.command()
@verb
@elsewhere()
def info(
    topic: Annotated[str, typer.Argument(help="Its name.")],
    *,
    session: Session,
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show a topic: where it stands, its rate, who reads it and how far behind.

    Examples: aegis topic info klines.BTCUSDT.1m --session demo;
    aegis topic info prices.BTC --session demo --json
    """
    server, row_id = client.running(), topic_places.identity(session)
    topics = server.get("sessions", row_id, "topics")["data"]
    found = [one for one in topics if one["name"] == topic]
    readers = server.get("sessions", row_id, "topics", topic, "subscribers")["data"]
    if not found:
        raise TopicNotFound(topic=topic)
    data = {**found[0], "readers": readers}
    if is_json or is_quiet:
        output.show_one(How(is_json, is_quiet), "topic.info", data, identity=topic, sentence="")
        return
    output.tabulate(table(found))
    output.tabulate(reader_table(readers))


@app.command()
@verb
@elsewhere()
def publish(
    topic: Annotated[str, typer.Argument(help="Its name.")],
    record: Annotated[str, typer.Argument(metavar="JSON|-", help="A record; - reads a line each.")],
    *,
    session: Session,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="So many times.")] = 1,
    rate: Annotated[float, typer.Option(min=0, max=1000, help="Per second; 0: at once.")] = 0,
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Publish records into a topic.

    Examples: aegis topic publish notes '{"text": "hello"}' --session demo;
    aegis topic publish notes - --session demo < records.ndjson
    """
    server, row_id, tells = client.running(), topic_places.identity(session), progress.told()
    records = [strict.decode(one, max_bytes=MAX_BYTES) for one in _lines(record)] * count
    size, done = (1, {}) if rate else (BATCH, {})
    for first in range(0, len(records), size):
        if first and rate:
            threading.Event().wait(1 / rate)
        body = {"records": [{"data": one} for one in records[first : first + size]]}
        done = server.send("POST", "sessions", row_id, "topics", topic, body=body)
        tells("published", min(first + size, len(records)), len(records))
    if not done:
        raise Misused("There is no record to publish.")
    how = How(is_json, is_quiet)
    sentence = f"{done['topic']}  {done['last']}  {done['position']}"
    output.show_one(how, "topic.publish", done, identity=done["position"], sentence=sentence)


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
        "SESSION": [one["session_id"] for one in found],
    }


def _lines(record: str) -> list[str]:
    return [one for one in sys.stdin.read().splitlines() if one] if record == "-" else [record]


topic_tail.add_to(app)
topic_figures.add_to(app)
