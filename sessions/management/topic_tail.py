"""`aegis topic tail`: what is said in topics, as it is said."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.management import client, instants, output, topic_places
from sessions.management.client import Client
from sessions.management.topic_places import AnySession, Place, Topics
from sessions.management.verbs import Json, elsewhere, verb
from streaming.core import filtering, topics
from streaming.core.errors import TopicNotFound

PAGE = 200
WAIT_SECONDS = 10.0
# Of several topics each waits so long in its turn, and new ones are looked for so often.
TURN_SECONDS, LIST_SECONDS = 0.5, 5.0
WORDS = {"start": "earliest", "end": "latest"}

Record = dict[str, Any]


@verb
@elsewhere()
def tail(
    topic: Topics,
    *,
    session: AnySession = "",
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="latest, latest-n, earliest or start, a number, time:ms, -5m, 14:02 or ISO 8601.",
        ),
    ] = "latest",
    wanted: Annotated[
        str,
        typer.Option("--filter", metavar="EXPR", help="Only these: 'buy price > 100 side != x'."),
    ] = "",
    count: Annotated[int, typer.Option(min=0, help="End after so many records; 0 is never.")] = 0,
    sample: Annotated[int, typer.Option(min=1, help="Only each so manieth of them.")] = 1,
    is_json: Json = False,
) -> None:
    """
    Follow topics, or those of a pattern; one record per line.

    Examples: aegis topic tail klines.BTCUSDT.1m --session demo --from latest-10 --json;
    aegis topic tail 'trades.*' --session demo --filter 'size > 5' --sample 20
    """
    passes, start = filtering.read(wanted), _start(begin)
    found = (
        one
        for one in followed(client.running(), session, topic, start)
        if passes(output.dump(one["data"]), one["data"])
    )
    is_alone = len(topic) == 1 and bool(session) and not topics.is_pattern(topic[0])
    for one in itertools.islice(found, 0, count * sample or None, sample):
        if is_json:
            output.line(one)
        else:
            words = [str(one["seq"]), str(one["ts"]), output.dump(one["data"])]
            output.plain("  ".join(words if is_alone else [one["topic"], *words]))


def followed(server: Client, session: str, wanted: Sequence[str], begin: str) -> Iterator[Record]:
    """The records of all these topics as they come; of topics that come later, from the first on."""
    asked: dict[Place, dict[str, Any]] = {}
    start, turn, listed_at = begin, 0, float("-inf")
    while True:
        if time.monotonic() - listed_at >= LIST_SECONDS:
            for place in topic_places.found(server, session, wanted):
                asked.setdefault(place, {"start": start, "limit": PAGE})
            start, listed_at = "earliest", time.monotonic()
        if not asked and not any(map(topics.is_pattern, wanted)):
            raise TopicNotFound(topic=wanted[0])
        if not asked:
            threading.Event().wait(TURN_SECONDS)
        turn += 1
        yield from _round(server, asked, turn)


def _round(server: Client, asked: dict[Place, dict[str, Any]], turn: int) -> list[Record]:
    """What is new in each topic, by time; one of them waits for it."""
    found: list[Record] = []
    longest = WAIT_SECONDS if len(asked) == 1 else TURN_SECONDS
    for number, (place, follow) in enumerate(asked.items()):
        wait = longest if number == turn % len(asked) else 0
        page = server.get("sessions", place.session, "topics", place.topic, **follow, wait=wait)
        _warn(page)
        follow["after"] = page["next"] or follow.get("after", "")
        said = {"topic": place.topic, "session": place.session}
        found += [{**record, **said} for record in page["data"]]
    return sorted(found, key=lambda one: one["ts"])


def _start(text: str) -> str:
    """A place as a server understands it."""
    if text.isascii() and text.isdigit():
        return f"seq:{text}"
    if text in WORDS or text.startswith(("latest", "earliest", "seq:", "time:")):
        return WORDS.get(text, text)
    at: datetime = instants.read(text, option="--from")
    return f"time:{int(at.timestamp() * 1000)}"


def _warn(page: dict[str, Any]) -> None:
    told = page["notice"]
    if told is None:
        return
    places = [str(told[name]) for name in ("first", "last") if told[name] is not None]
    output.say(f"{told['kind']}: {told['reason']} {' to '.join(places)}".rstrip())


def add_to(app: Typer[Any, Any]) -> None:
    """Make following a verb of topics."""
    app.command()(tail)
