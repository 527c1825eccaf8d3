"""`aegis session send` and `session note`, here and at another server."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pytest

from sessions.core.run_log import Text
from sessions.management import client
from sessions.models import Bookmark, Message, Run
from sessions.services import run_log
from streaming import hints
from tests import factories
from tests.integration.sessions import working_help as help_

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
SCOPES = (
    *("sessions:read", "messages:read", "messages:write"),
    *("runs:read", "runs:write", "events:read"),
)


@pytest.fixture
def session():
    help_.agent()
    return help_.session(key="k", agent="scribe")


@pytest.fixture(params=["aegis", "far"])
def run(request: pytest.FixtureRequest):
    """The command line here, and at another server."""
    found = request.getfixturevalue(request.param)
    return found if request.param == "aegis" else lambda *words: found(*words, scopes=SCOPES)


def test_something_is_said(run, session):
    told = run("session", "send", "k", "Hello")
    document = run("session", "send", "k", "Why?", "--agent", "scribe", "--json").document
    nowhere = run("session", "send", "nowhere", "Hello")
    no_agent = run("session", "send", "k", "Hello", "--agent", "nobody", "--json")

    assert (told.code, told.out.endswith(": Hello\n")) == (0, True)
    assert document["schema"] == "aegis.session.send/1"
    assert document["data"]["answer_run_id"] == str(Run.objects.latest("created_at").pk)
    assert (nowhere.code, no_agent.code) == (3, 3)
    assert [one.content for one in Message.objects.order_by("place")] == ["Hello", "Why?"]


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch):
    """Let a worker do something of these in its turn, each time that somebody waits."""

    def works(*turns: Any) -> None:
        left = iter(turns)

        def wait(condition: Any, *, timeout_seconds: float) -> bool:
            next(left, lambda: None)()
            return bool(condition())

        monkeypatch.setattr(hints, "wait_until", wait)

    return works


def said(*entries: Any) -> None:
    """The run that works says this."""
    run = Run.objects.get()
    run_log.write(run.pk, fence=run.fence, entries=entries)


def test_an_answer_comes_as_it_is_said(aegis, session, works):
    works(
        help_.claimed,
        lambda: said(Text(text="Two ")),
        lambda: said(Text(text="words.")),
        lambda: Run.objects.update(state="completed", ended_at=session.created_at),
    )

    told = aegis("session", "send", "k", "Say two words", "--follow")

    assert (told.code, told.out) == (0, "Two words.\n")


def test_a_run_that_waits_fails_or_lasts_has_its_code(aegis, session, works):
    works(help_.claimed, lambda: Run.objects.update(state="waiting", waiting_for="approval"))
    waits = aegis("session", "send", "k", "Buy", "--follow")
    Run.objects.all().update(state="cancelled", ended_at=session.created_at, waiting_for="")
    failed = {"code": "LLM_ERROR", "message": "It is away."}
    newest = Run.objects.filter(ended_at=None)
    works(lambda: newest.update(state="failed", error=failed, ended_at=session.created_at))
    fails = aegis("session", "send", "k", "Sell", "--follow")
    late = aegis("session", "send", "k", "Wait", "--follow", "--timeout", "0", "--json")

    assert (waits.code, fails.code, late.code) == (10, 11, 6)
    assert "LLM_ERROR: It is away." in fails.err
    assert late.document["error"]["code"] == "TIMEOUT"


STREAM = b"""event: message_start
data: {"attempt": 1}

event: content_delta
data: {"delta": "Two "}

: beat

event: content_delta
data: {"delta": "words."}

event: %s
data: %s

"""


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch):
    """Let the stream of a run at the other server end with this event."""
    asked = client.Client.asked

    def streams(word: bytes, data: bytes, **change: Any) -> None:
        @contextlib.contextmanager
        def ask(self: Any, method: str, parts: Any, **given: Any) -> Iterator[Any]:
            if parts[-1] == "stream":
                Run.objects.update(**change)
                yield io.BytesIO(STREAM % (word, data))
                return
            with asked(self, method, parts, **given) as response:
                yield response

        monkeypatch.setattr(client.Client, "asked", ask)

    return streams


def test_an_answer_comes_as_it_is_said_there(far, session, streams):
    streams(b"message_end", b"{}", state="completed")

    told = far("session", "send", "k", "Say", "--follow", scopes=SCOPES)
    whole = far("session", "send", "k", "Say", "--follow", "--json", scopes=SCOPES)

    assert (told.code, told.out) == (0, "Two words.\n")
    assert whole.document["data"]["content"] == "Say"


def test_a_run_that_waits_or_fails_there_has_its_code(far, session, streams, monkeypatch):
    waiting = b'{"state": "waiting", "waiting_for": "input"}'
    streams(b"status", waiting, state="waiting", waiting_for="input")
    waits = far("session", "send", "k", "Say", "--follow", scopes=SCOPES)
    error = {"code": "LLM_ERROR", "message": "It is away."}
    streams(b"error", b"{}", state="failed", waiting_for="", error=error)
    fails = far("session", "send", "k", "Say", "--follow", scopes=SCOPES)
    late = far("session", "send", "k", "Say", "--follow", "--timeout", "0", scopes=SCOPES)

    assert (waits.code, fails.code, late.code) == (10, 11, 6)


def test_a_note_stands_at_the_newest_event_or_another(run, session):
    head = len(factories.events(session))

    told = run("session", "note", "k", "Look here")
    other = run("session", "note", "k", "And here", "--seq", "1", "--json").document
    nowhere = run("session", "note", "nowhere", "x")

    assert (told.code, told.out) == (0, f"event {head}  Look here\n")
    assert (other["schema"], other["data"]["note"]) == ("aegis.session.note/1", "And here")
    assert nowhere.code == 3
    assert {row.seq for row in Bookmark.objects.all()} == {1, head}


def test_nobody_notes_two_things_at_one_place(aegis, session):
    aegis("session", "note", "k", "Look here")

    again = aegis("session", "note", "k", "Look again", "--json")

    assert (again.code, again.document["error"]["code"]) == (5, "BOOKMARK_ALREADY_EXISTS")


def test_a_bookmark_is_a_word_for_the_same(aegis, session):
    told = aegis("session", "bookmark", "k", "--seq", "1", "--name", "First", "--json").document

    assert (told["schema"], told["data"]["name"]) == ("aegis.bookmark.create/1", "First")
