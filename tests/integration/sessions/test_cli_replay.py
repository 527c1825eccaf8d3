"""`aegis replay`: how a session stood, here and at another server."""

from datetime import timedelta

import pytest

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Replay, Session
from sessions.services import lifecycle
from streaming.models import Event
from tests import factories
from tests.factories import OPERATOR
from tests.integration.sessions.test_review import recorded

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
SCOPES = ("sessions:read", "events:read", "topics:read")


@pytest.fixture(params=["aegis", "far"])
def run(request: pytest.FixtureRequest):
    """The command line here, and at another server."""
    found = request.getfixturevalue(request.param)
    return found if request.param == "aegis" else lambda *words: found(*words, scopes=SCOPES)


@pytest.fixture
def session():
    """One that was made, started and paused, an hour before each."""
    made = factories.session(key="k", expected=[Expected(name="prices", required=False)])
    factories.readied(made, "prices")
    lifecycle.start(principal=OPERATOR, session=made)
    lifecycle.pause(principal=OPERATOR, session=made)
    return made


def seq_of(session: Session, kind: str) -> int:
    return factories.events(session).index(kind) + 1


def test_a_position_is_reviewed(run, session):
    head = len(factories.events(session))
    started = seq_of(session, "session.activated")

    then = run("replay", "review", "k", "--at", str(started), "--json").document["data"]
    now = run("replay", "review", "k", "--json").document["data"]
    lines = run("replay", "review", "k", "--at", "1")

    assert (then["seq"], then["type"], then["state"]) == (
        started,
        "session.activated",
        "running",
    )
    assert (now["seq"], now["state"], now["participants"]) == (head, "paused", {"prices": "ready"})
    assert lines.out.split() == ["session", "created"]
    assert ", event 1 session.created" in lines.err
    assert len(factories.events(session)) == head


def test_a_moment_is_reviewed(run, session):
    first = Event.objects.order_by("seq").first()
    assert first is not None
    before = first.ts - timedelta(hours=1)

    then = run("replay", "review", "k", "--at", before.isoformat(), "--json").document["data"]
    just_now = run("replay", "review", "k", "--at=-0s", "-q")
    in_words = run("replay", "review", "k", "--at", before.isoformat())

    assert (then["seq"], then["state"], then["participants"]) == (0, "", {})
    assert just_now.out == f"{len(factories.events(session))}\n"
    assert in_words.out == "session                  not there yet\n"


def test_what_cannot_be_reviewed_has_its_code(run, session):
    nowhere = run("replay", "review", "nowhere", "--json")
    no_moment = run("replay", "review", "k", "--at", "soon")

    assert (nowhere.code, no_moment.code) == (3, 2)


def test_who_may_not_read_events_reviews_nothing(far, session):
    assert far("replay", "review", "k", scopes=("sessions:read",)).code == 4


def test_to_drive_is_another_word_for_a_redrive(anywhere):
    factories.session_in(State.STOPPED, key="k", team="default")

    told = anywhere("replay", "drive", "k", "--json")

    assert (told.code, told.document["error"]["code"]) == (2, "VALIDATION_ERROR")


def test_what_was_recorded_is_driven_again(anywhere):
    parent = factories.session(key="tape", team="default")
    recorded(parent)

    made = anywhere("session", "redrive", "tape", "--key", "again", "--speed", "10", "--loop",
                    "--topic", "prices.*", "--from", "1700000000002", "--json")  # fmt: skip
    quiet = anywhere("replay", "drive", "tape", "--from", "2023-11-14T22:13:20Z", "-q")

    row = Session.objects.get(key="again")
    clock = Replay.objects.get(session=row)
    assert made.document["data"]["id"] == str(row.pk)
    assert (row.parent_id, clock.speed, clock.source["loop"]) == (parent.pk, 10, True)
    assert clock.range_from == 1_700_000_000_002
    assert quiet.out.strip() == str(Session.objects.exclude(key="again").get(parent=parent).pk)
