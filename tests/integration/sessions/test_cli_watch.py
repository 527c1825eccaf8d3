"""What is watched at a terminal, in this process: a terminal of its own, a real interrupt."""

import os
import re
import signal
from typing import Any

import pytest
from django.db import connection

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.services import lifecycle
from streaming.selectors import events
from tests import factories, threads
from tests.screens import terminal

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ESCAPE = "\x1b"
ESCAPED = re.compile(r"\x1b\[[\d;]*m")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*[349]\d")


def test_a_terminal_gets_colour_and_short_ids_and_a_pipe_does_not(aegis, monkeypatch):
    made = factories.session(name="demo")

    piped = aegis("session", "list")
    with terminal(monkeypatch) as screen:
        aegis("session", "list")

    with terminal(monkeypatch) as wide:
        monkeypatch.setenv("COLUMNS", "30")
        aegis("session", "list", "--wide")

    assert str(made.pk) in wide.text
    assert "demo" in wide.text
    assert ESCAPE not in piped.out
    assert str(made.pk) in piped.out
    assert ESCAPE in screen.text
    # A beginning that every command takes.
    assert str(made.pk) not in screen.text
    assert str(made.pk)[:8] in screen.text


@pytest.mark.parametrize("words", [(), ("--no-color",)])
def test_colour_is_left_out_where_somebody_wants_none(aegis, monkeypatch, words: tuple[str, ...]):
    factories.session_in(State.RUNNING, key="k")

    with terminal(monkeypatch) as coloured:
        aegis("session", "list")
    with terminal(monkeypatch) as plain:
        if not words:
            monkeypatch.setenv("NO_COLOR", "1")
        aegis(*words, "session", "list")

    assert COLOUR.search(coloured.text)
    assert not COLOUR.search(plain.text)
    # What it means is in a shape and a word, too.
    assert "▶ running" in ESCAPED.sub("", plain.text)


def test_a_session_is_watched_until_it_is_closed(aegis, monkeypatch):
    made = factories.session(key="k", expected=[Expected(name="prices")])
    factories.readied(made, "prices")
    lifecycle.end(principal=factories.OPERATOR, session=made)

    piped = aegis("session", "watch", "k", "--json")
    with terminal(monkeypatch) as screen:
        told = aegis("session", "watch", "k")

    assert (piped.code, told.code) == (0, 0)
    assert '"type":"session.ended"' in piped.out
    for text in ("prices", "session.created", "session.ended", "× ended"):
        assert text in screen.text


@pytest.mark.django_db(transaction=True)
def test_an_interrupt_only_stops_looking(aegis, monkeypatch):
    made = factories.session_in(State.RUNNING, key="k")

    with terminal(monkeypatch) as screen:
        screen.wanted = "session.created"
        screen.act = lambda: os.kill(os.getpid(), signal.SIGINT)
        told = aegis("session", "watch", "k")

    # It may have been in the middle of a query, as whoever is interrupted; a process ends then.
    connection.close()
    made.refresh_from_db()
    assert (told.code, told.err) == (130, "Stopped looking; what was begun goes on.\n")
    assert made.state == "running"


@pytest.mark.django_db(transaction=True)
def test_events_are_followed_and_chosen_by_their_type(aegis):
    made = factories.session_in(State.RUNNING, key="k")

    with threads.beside(lambda: lifecycle.end(principal=factories.OPERATOR, session=made)):
        told: Any = aegis("event", "tail", "k", "--type", "session.e*")

    assert [line.split()[2] for line in told.out.splitlines()] == ["session.ended"]


def test_what_happens_while_the_end_is_looked_at_is_told(aegis, monkeypatch):
    made = factories.session_in(State.RUNNING, key="k")
    extract, read = events.extract, []

    def ends_after(**asked: Any) -> Any:
        found = extract(**asked)
        read.append(found)
        # Nothing is left to read, and then the session is over.
        if len(read) == 2:
            lifecycle.end(principal=factories.OPERATOR, session=made)
        return found

    monkeypatch.setattr(events, "extract", ends_after)

    told = aegis("event", "tail", "k", "--type", "session.e*")

    assert "session.ended" in told.out
