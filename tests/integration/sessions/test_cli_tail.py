"""What is followed at the command line: several topics, filters, places; the audit."""

import os
import signal
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sessions.core.lifecycle import State
from sessions.management import aegis_audit, client, topic_tail
from sessions.services import lifecycle
from tests import emptying, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


class Server:
    """Topics of sessions, as a server tells them; ``asked`` is what it was asked."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.said: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.at_wait: list[Callable[[], None]] = []

    def say(self, topic: str, *data: Any, first_ts: int = 0) -> None:
        records = self.said.setdefault(topic, [])
        records += [(first_ts + place, one) for place, one in enumerate(data)]

    def get(self, *parts: str, **asked: Any) -> Any:
        if parts[2:] == ("topics",):
            return {"data": self.listed()}
        self.asked.append((parts[3], asked))
        if asked["wait"] and self.at_wait:
            self.at_wait.pop(0)()
        records, after = self.said[parts[3]], int(asked.get("after") or 0)
        data = [
            {"seq": seq, "ts": ts, "data": one}
            for seq, (ts, one) in enumerate(records, 1)
            if seq > after
        ]
        return {"data": data, "next": str(len(records) or ""), "notice": None}

    def several(self, *_parts: str, limit: int) -> tuple[list[Any], bool]:
        return self.listed(), False

    def listed(self) -> list[dict[str, Any]]:
        live = {"records_per_second": 2.5, "quiet_seconds": 1, "is_silent": True, "lag": 3}
        return [
            {"session_id": self.session, "name": name, "live": live} for name in sorted(self.said)
        ]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(str(factories.session_in(State.RUNNING, key="k").pk))
    monkeypatch.setattr(client, "running", lambda: made)
    return made


def told(out: str) -> list[Any]:
    return [(one["topic"], one["data"]) for one in map(orjson.loads, out.splitlines())]


def test_several_topics_are_told_in_the_order_of_time(aegis, server: Server):
    server.say("trades.a", 1, 2, first_ts=10)
    server.say("trades.b", 3, first_ts=5)
    server.say("ledger", 0)
    server.say("book", 0)

    piped = aegis("topic", "tail", "trades.*", "book", "--session", "k", "--count", "4", "--json")
    lines = aegis("topic", "tail", "trades.*", "--count", "1")

    assert told(piped.out) == [("book", 0), ("trades.b", 3), ("trades.a", 1), ("trades.a", 2)]
    assert lines.out == "trades.b  1  5  3\n"


def test_only_what_passes_is_told_and_each_so_manieth_of_it(aegis, server: Server):
    server.say("trades", *({"size": size} for size in range(10)))

    found = aegis(
        *("topic", "tail", "trades", "--session", "k", "--filter", "size > 2"),
        *("--sample", "3", "--count", "2"),
    )
    wrong = aegis("topic", "tail", "trades", "--session", "k", "--filter", "size > x")

    assert found.out == '4  3  {"size":3}\n7  6  {"size":6}\n'
    assert wrong.code == 2


def test_a_topic_that_comes_later_is_told_from_its_beginning(aegis, server: Server, monkeypatch):
    monkeypatch.setattr(topic_tail, "LIST_SECONDS", 0)
    monkeypatch.setattr(topic_tail, "TURN_SECONDS", 0)
    server.say("trades.a")
    server.at_wait = [lambda: server.say("trades.b", 7)]

    found = aegis(
        *("topic", "tail", "trades.*", "--from", "latest", "--count", "1", "--json"),
    )

    assert told(found.out) == [("trades.b", 7)]
    starts = {topic: asked["start"] for topic, asked in server.asked}
    assert starts == {"trades.a": "latest", "trades.b": "earliest"}


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ("start", "earliest"),
        ("end", "latest"),
        ("latest-10", "latest-10"),
        ("42", "seq:42"),
        ("seq:42", "seq:42"),
        ("2026-11-21T14:00Z", "time:1795269600000"),
    ],
)
def test_a_place_is_said_in_many_ways(aegis, server: Server, said: str, start: str):
    server.say("trades", 1)

    assert aegis("topic", "tail", "trades", "--session", "k", "--from", said, "--count", "1").out
    assert server.asked[0][1]["start"] == start


@pytest.mark.parametrize("said", ["-5m", "00:00"])
def test_a_place_is_a_moment_of_today(aegis, server: Server, said: str):
    server.say("trades", 1)

    aegis("topic", "tail", "trades", "--session", "k", "--from", said, "--count", "1")

    assert server.asked[0][1]["start"].startswith("time:1")


def test_no_moment_and_no_topic_are_refused(aegis, server: Server):
    moment = aegis("topic", "tail", "trades", "--from", "yesterday")
    topic = aegis("topic", "tail", "trades")
    rate = aegis("topic", "rate", "trades")

    assert (moment.code, topic.code, rate.code) == (2, 3, 3)
    assert "is no moment such as -5m, 14:02" in moment.err


def test_how_much_is_said_and_who_is_behind(aegis, server: Server, monkeypatch):
    server.say("trades", 1)
    reader = {"component_id": "c", "policy": "block", "lag": 4, "gaps": 0, "dropped": 0}
    readers = {"data": [reader | {"committed": None}]}

    rate = aegis("topic", "rate", "trades").out.splitlines()[1].split()
    listed = aegis("topic", "list", "--session", "k", "--rates").out.splitlines()[1].split()
    monkeypatch.setattr(server, "get", lambda *_parts: readers)
    lag = aegis("topic", "lag", "trades", "--session", "k").out.splitlines()[1].split()

    assert rate == ["trades", "2.5", "–", "1.0", "s", "–", "silent", "3", server.session]
    assert listed == rate
    assert lag == ["c", "block", "4", "0", "0", "–"]


# The audit


def test_the_audit_is_followed_also_where_an_entry_comes_late(aegis, monkeypatch):
    session = factories.session(key="desk")
    emptying.forget_audit()
    looks: list[Any] = []
    lately = aegis_audit._lately

    def looked(rows: Any) -> Any:
        looks.append(None)
        if len(looks) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        found = lately(rows)
        if len(looks) == 1:
            # Nothing of it was seen yet, by either reading.
            lifecycle.start(principal=factories.OPERATOR, session=session)
        if len(looks) == 2:
            lifecycle.pause(principal=factories.OPERATOR, session=session)
            return lately(rows)
        return found

    monkeypatch.setattr(aegis_audit, "_lately", looked)

    found = aegis("audit", "tail", "--command", "session.*", "--json")

    commands = [orjson.loads(one)["command"] for one in found.out.splitlines()]
    assert commands == ["session.start", "session.pause"]
    assert (found.code, found.err) == (130, "Stopped looking; what was begun goes on.\n")


def test_the_last_entries_are_told_and_no_more(aegis):
    emptying.forget_audit()
    for key in ("a", "b", "c"):
        aegis("session", "create", "--key", key)

    found = aegis("audit", "tail", "--last", "2", "--no-follow")
    since = aegis("audit", "list", "--since", "-1h", "-q")

    assert [line.split()[-1] for line in found.out.splitlines()] == ["b", "c"]
    assert len(since.out.split()) == 3
