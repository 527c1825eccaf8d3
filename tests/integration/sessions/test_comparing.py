"""Two sessions side by side: a fork from where it begins, and what events only point to."""

import pytest

from aegis_project.kit.errors import PermissionDenied
from sessions.core.errors import SessionNotFound
from sessions.selectors import comparing
from sessions.services import checkpoints, conversation, forks
from sessions.services.conversation import Utterance
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

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
