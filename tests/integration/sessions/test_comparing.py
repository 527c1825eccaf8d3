"""Two sessions side by side: a fork from where it begins, and what events only point to."""

import json

import pytest

from aegis_project.kit.errors import PermissionDenied
from sessions.core.errors import SessionNotFound
from sessions.selectors import comparing
from sessions.services import checkpoints, conversation, forks
from sessions.services.conversation import Utterance
from tests import factories
from tests.calling import Caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

LONG = "word " * 60


def say(session, text):
    conversation.say(principal=OPERATOR, session=session, draft=Utterance(content=text))


@pytest.fixture
def both():
    """A session that says one thing more behind its checkpoint, and its fork."""
    original = factories.session(key="original")
    say(original, "before")
    checkpoints.create(principal=OPERATOR, session=original, label="here")
    made = forks.fork(principal=OPERATOR, session=original, checkpoint="here").session
    return original, made


def compared(both):
    found = comparing.compare(OPERATOR, *both)
    return [
        (one.left and one.left.type, one.right and one.right.type, one.is_same)
        for one in found.pairs
    ]


def test_a_fork_is_compared_with_what_came_behind_its_checkpoint(both):
    for one in both:
        say(one, "the same")
    say(both[1], "more")

    assert compared(both) == [
        ("message.created", "message.created", True),
        (None, "message.created", False),
    ]
    assert compared(both[::-1]) == compared(both)


def test_texts_are_compared_to_their_ends(both):
    say(both[0], f"{LONG} buy")
    say(both[1], f"{LONG} sell")

    found = comparing.compare(OPERATOR, *both)

    assert (found.common, found.is_same) == (0, False)
    assert [one.path for one in found.pairs[0].differences()] == ["/sha256"]


def test_any_two_are_compared_from_their_beginnings():
    two = factories.session(), factories.session()
    for one in two:
        say(one, "the same")

    assert comparing.compare(OPERATOR, *two).is_same


def test_more_than_is_compared_is_said(both, monkeypatch):
    monkeypatch.setattr(comparing, "MOST", 1)
    for one in both:
        say(one, "first")
        say(one, "second")

    found = comparing.compare(OPERATOR, *both)

    assert (found.left.is_cut, found.right.is_cut, len(found.pairs)) == (True, True, 1)


def test_the_other_one_is_who_is_named_or_what_it_was_made_of(both):
    original, made = both
    third = factories.session(key="third")

    assert comparing.other_of(OPERATOR, made, "") == original
    assert comparing.other_of(OPERATOR, made, "third") == third
    assert comparing.other_of(OPERATOR, original, "") is None
    with pytest.raises(SessionNotFound):
        comparing.other_of(OPERATOR, made, "nobody")


def test_who_may_not_read_events_compares_nothing(both):
    reader = factories.member(both[0].team, scopes=["sessions:read"])

    with pytest.raises(PermissionDenied):
        comparing.compare(reader, *both)


def test_a_program_asks_for_the_lines_of_both(both, program: Caller):
    original, made = both
    for one in both:
        say(one, "the same")
    say(original, "sell")
    say(made, "buy more")

    address = f"/api/v1/sessions/{made.pk}/compare"
    found = program.get(address).json()
    end = program.get(f"{address}?offset=1&limit=1").json()
    alone = program.get("/api/v1/sessions/original/compare")

    assert (found["left"], found["right"]) == ("original", made.key)
    assert (found["common"], found["count"], found["is_same"]) == (1, 2, False)
    assert [one["verdict"] for one in found["data"]] == ["same", "differs"]
    assert {one["path"] for one in found["data"][1]["differences"]} >= {"/sha256"}
    assert (end["data"], end["has_more"]) == (found["data"][1:], False)
    assert code(alone) == (400, "VALIDATION_ERROR")


def test_the_command_line_shows_them_too(both, aegis):
    _, made = both
    for one in both:
        say(one, "the same")
    say(made, "more")

    told = aegis("session", "diff", str(made.pk))
    document = json.loads(aegis("session", "diff", "original", str(made.pk), "--json").out)
    alone = aegis("session", "diff", "original")

    lines = told.out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["=", ">"]
    assert lines[-1] == "They part at line 2 of 2."
    assert document["schema"] == "aegis.session.diff/1"
    assert [one["verdict"] for one in document["data"]["data"]] == ["same", "right"]
    assert alone.code == 2
