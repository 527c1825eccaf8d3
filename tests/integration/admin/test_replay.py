"""The place Replay, and reviewing what a session did."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from components.models import Component
from sessions.admin import redrive
from sessions.models import Replay, Session
from sessions.services import lifecycle
from streaming.core import position
from streaming.models import Event, Log, Record
from streaming.selectors import tape
from tests import factories
from tests.factories import OPERATOR
from tests.integration.admin.help import address, text

pytestmark = pytest.mark.django_db

BASE_MS = 1_700_000_000_000


def recorded(session, *, count: int, name: str = "prices.btc") -> Log:
    """A topic with one record in a millisecond."""
    epoch = "e" * 16
    log = Log.objects.create(
        session=session, name=name, epoch=epoch, ck="", recorded=True, head=count
    )
    ck = position.genesis(name, epoch).hex()
    for seq in range(1, count + 1):
        Record.objects.create(
            log=log, epoch=epoch, seq=seq, ck=ck, ts=BASE_MS + seq, body=b'{"n":%d}' % seq
        )
    return log


@pytest.fixture
def lived(superuser, client):
    session = factories.session(key="desk")
    lifecycle.start(principal=OPERATOR, session=session)
    client.force_login(superuser)
    return session


def test_record_at_an_instant_is_the_last_one_before_it():
    log = recorded(factories.session(), count=9)

    found = {offset: tape.newest_at(log, BASE_MS + offset) for offset in (0, 1, 4, 99)}

    assert found == {
        0: None,
        1: (1, BASE_MS + 1, b'{"n":1}'),
        4: (4, BASE_MS + 4, b'{"n":4}'),
        99: (9, BASE_MS + 9, b'{"n":9}'),
    }


def test_times_of_a_long_tape_are_read_evenly():
    log = recorded(factories.session(), count=9)

    assert tape.times(log, most=3) == ([BASE_MS + 1, BASE_MS + 4, BASE_MS + 7], 3)


def standing(session):
    """The session, who takes part in it, its ledger, and what is on its tapes."""
    rows = [model.objects.values().order_by("pk") for model in (Session, Component, Log, Record)]
    return factories.told(session), [list(one) for one in rows]


def test_re1_page_and_instant_change_nothing(client, lived):
    recorded(lived, count=3)
    factories.readied(lived, "feed")
    before = standing(lived)

    page = client.get(address(lived, "review"))
    instant = client.get(address(lived, "instant"), {"t": BASE_MS + 2})

    assert (page.status_code, instant.status_code) == (200, 200)
    assert "Review, nothing runs." in text(page)
    assert '{"n": 2}' in instant.content.decode().replace("&quot;", '"')
    assert "not there yet" in text(instant)
    assert standing(lived) == before


def test_instant_is_how_it_stood_then(client, lived):
    now = Session.objects.get(pk=lived.pk).state_changed_at

    then = client.get(address(lived, "instant"), {"t": round(now.timestamp() * 1000) + 1000})

    assert "Session Running Last event Session runs" in text(then)


def test_event_is_there_at_its_own_millisecond(client, lived):
    for microseconds in (400, 600):
        created = timezone.now().replace(microsecond=microseconds)
        Event.objects.filter(log__session=lived, seq=1).update(ts=created)
        Event.objects.filter(log__session=lived, seq=2).update(ts=created + timedelta(seconds=9))

        then = client.get(address(lived, "instant"), {"t": round(created.timestamp() * 1000)})

        assert "Session Created Last event Session created" in text(then)


@pytest.mark.parametrize("t", ["", "soon", "-1", "9" * 15, "١٢"])
def test_no_instant_is_refused(client, lived, t):
    refused = client.get(address(lived, "instant"), {"t": t})

    assert refused.status_code == 400
    assert client.get(address(lived, "review"), {"t": t}).status_code == 200


def test_recording_is_driven_again_in_another_session(client, lived):
    recorded(lived, count=3)

    pages = [
        client.get(reverse("admin:aegis_sessions_replay_changelist")),
        client.get(address(lived)),
        client.get(address(lived, "review")),
    ]
    answer = client.post(address(lived, "redrive"))

    assert all(address(lived, "redrive") in page.content.decode() for page in pages)
    made = Session.objects.get(parent=lived)
    assert (made.mode, answer.url) == ("historical", address(made))


def test_a_redrive_is_what_was_chosen_and_its_page_says_how_fast_it_goes(client, lived):
    for name in ("prices.btc", "prices.eth"):
        recorded(lived, count=3, name=name)
    said = {"speed": "10", "from": str(BASE_MS + 2), "topics": ["prices.eth"], "loop": "1"}

    client.post(address(lived, "redrive"), {"chooses": "1", "name": "Once more", **said})

    made = Session.objects.get(parent=lived)
    source = made.config["source"]
    assert (made.name, source["speed"], source["loop"]) == ("Once more", 10.0, True)
    assert (source["topics"], made.replay.range_from) == (["prices.eth"], BASE_MS + 2)
    before = text(client.get(address(made)))
    Replay.objects.update(achieved=9.84, n=2, clock=BASE_MS + 3)
    assert "Re-drive. What was recorded is sent again, of desk Speed – of 10× Record 0" in before
    assert "Speed 9.8× of 10× Record 2 , clock" in text(client.get(address(made)))


def test_form_says_what_is_on_tape_and_what_is_not(client, lived):
    recorded(lived, count=3)
    Log.objects.create(session=lived, name="orders", epoch="f" * 16, ck="")

    page = client.get(address(lived, "redrive"), {"from": "7", "speed": "25"}).content.decode()

    assert 'placeholder="2023-11-14T22:13:20.001Z"' in page
    assert 'placeholder="2023-11-14T22:13:20.003Z"' in page
    assert "Not on tape, and not sent: orders." in text(page)
    assert 'value="7"' in page
    assert '<option value="25" selected>' in page


def test_many_topics_are_named_by_patterns(client, lived):
    for number in range(redrive.MOST_BOXES + 1):
        recorded(lived, count=1, name=f"prices.{number:02}")

    page = client.get(address(lived, "redrive"))
    client.post(address(lived, "redrive"), {"topics": "prices.00 prices.01"})

    assert f"names and patterns of the {redrive.MOST_BOXES + 1} recorded ones" in text(page)
    made = Session.objects.get(parent=lived)
    assert made.config["source"]["topics"] == ["prices.00", "prices.01"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"speed": "fast"}, "speed is a number."),
        ({"speed": "1000"}, "source.speed must be 0 or from 0.25 to 100."),
        ({"chooses": "1"}, "Choose at least one topic."),
        ({"from": "soon"}, "An instant is written in unix milliseconds or ISO 8601."),
        ({"from": "9", "to": "8"}, "A range begins before it ends."),
        ({"key": "desk"}, "SESSION_ALREADY_EXISTS"),
    ],
)
def test_a_redrive_that_cannot_be_is_told_and_keeps_what_was_typed(client, lived, said, problem):
    recorded(lived, count=3)

    answer = client.post(address(lived, "redrive"), {"name": "Mine", **said})

    assert problem in text(answer)
    assert 'value="Mine"' in answer.content.decode()
    assert Session.objects.count() == 1


def test_nothing_recorded_is_said_in_its_place(client, lived):
    answer = client.post(address(lived, "redrive"))

    assert "Nothing of this session was recorded." in text(answer)
    assert "Nothing is on tape" in text(answer)
    assert "Make the re-drive" not in text(answer)
    assert Session.objects.count() == 1


def test_timeline_of_a_closed_session_has_the_strips_of_its_tapes(client, lived):
    begin = round(lived.created_at.timestamp() * 1000)
    log = recorded(lived, count=1)
    Record.objects.filter(log=log).update(ts=begin)

    while_open = client.get(address(lived)).content.decode()
    lifecycle.end(principal=OPERATOR, session=lived)
    closed = client.get(address(lived)).content.decode()

    assert '<script id="ae-lane-strips" type="application/json">[]</script>' in while_open
    assert '"name": "prices.btc"' in closed
