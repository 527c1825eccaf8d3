"""`aegis topic rate` and `topic lag`: how much is said, and who is behind."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.management import client, output, topic_places
from sessions.management.output import How
from sessions.management.topic_places import AnySession, Topics
from sessions.management.verbs import Json, Quiet, elsewhere, verb
from streaming.core.errors import TopicNotFound

Name = Annotated[str, typer.Argument(metavar="TOPIC", help="Its name.")]
Of = Annotated[str, typer.Option("--session", help="Id, key, beginning of the id, or name.")]


@verb
@elsewhere()
def rate(
    topic: Topics, *, session: AnySession = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Show how much is said in topics now, and which fell silent.

    Examples: aegis topic rate 'klines.*' --session demo; aegis topic rate trades.BTCUSDT --json
    """
    session = topic_places.identity(session) if session else ""
    found = topic_places.documents(client.running(), session, topic)
    if not found:
        raise TopicNotFound(topic=topic[0])
    output.show(
        How(is_json, is_quiet),
        "topic.rate",
        data=lambda: found,
        ids=[one["name"] for one in found],
        table=lambda: rate_table(found),
    )


@verb
@elsewhere()
def lag(topic: Name, *, session: Of, is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show who reads a topic and how far behind they are, the most backward first.

    Examples: aegis topic lag klines.BTCUSDT.1m --session demo;
    aegis topic lag prices.BTC --session demo --json
    """
    row_id = topic_places.identity(session)
    asked = ("sessions", row_id, "topics", topic, "subscribers")
    found = client.running().get(*asked)["data"]
    output.show(
        How(is_json, is_quiet),
        "topic.lag",
        data=lambda: found,
        ids=[one["component_id"] for one in found],
        table=lambda: reader_table(found),
    )


def rate_table(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The columns of how much is said; a dash is what no process knows."""
    live = [one["live"] or {} for one in found]
    return {
        "TOPIC": [one["name"] for one in found],
        "RECORDS/S": [_number(one.get("records_per_second")) for one in live],
        "BYTES/S": [_number(one.get("bytes_per_second")) for one in live],
        "QUIET": [_seconds(one.get("quiet_seconds")) for one in live],
        "NORMALLY": [_seconds(one.get("normal_gap_seconds")) for one in live],
        "": ["silent" if one.get("is_silent") else "" for one in live],
        "BEHIND": [str(one.get("lag", "–")) for one in live],
        "SESSION": [one["session_id"] for one in found],
    }


def reader_table(readers: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The columns of who reads a topic."""
    return {
        "READER": [one["component_id"] for one in readers],
        "POLICY": [one["policy"] for one in readers],
        "BEHIND": [str(one["lag"]) for one in readers],
        "GAPS": [str(one["gaps"]) for one in readers],
        "DROPPED": [str(one["dropped"]) for one in readers],
        "COMMITTED": [one["committed"] or "–" for one in readers],
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def add_to(app: Typer[Any, Any]) -> None:
    """Make them verbs of topics."""
    app.command()(rate)
    app.command()(lag)
