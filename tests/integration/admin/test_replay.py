"""The place Replay, and reviewing what a session did."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from sessions.models import Session
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


def test_re1_page_and_instant_change_nothing(client, lived):
    recorded(lived, count=3)
    before = factories.events(lived), Session.objects.values().get(pk=lived.pk)

    page = client.get(address(lived, "review"))
    instant = client.get(address(lived, "instant"), {"t": BASE_MS + 2})

    assert (page.status_code, instant.status_code) == (200, 200)
    assert "Review, nothing runs." in text(page)
    assert '{"n": 2}' in instant.content.decode().replace("&quot;", '"')
    assert "not there yet" in text(instant)
    assert (factories.events(lived), Session.objects.values().get(pk=lived.pk)) == before


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

    place = client.get(reverse("admin:aegis_sessions_replay_changelist"))
    answer = client.post(address(lived, "redrive"))

    assert "Make a re-drive" in text(place)
    made = Session.objects.get(parent=lived)
    assert (made.mode, answer.url) == ("historical", address(made))


def test_nothing_recorded_is_said_in_its_place(client, lived):
    answer = client.post(address(lived, "redrive"), follow=True)

    assert "Nothing of this session was recorded." in text(answer)
    assert "Make a re-drive" not in text(answer)


def test_timeline_of_a_closed_session_has_the_strips_of_its_tapes(client, lived):
    begin = round(lived.created_at.timestamp() * 1000)
    log = recorded(lived, count=1)
    Record.objects.filter(log=log).update(ts=begin)

    while_open = client.get(address(lived)).content.decode()
    lifecycle.end(principal=OPERATOR, session=lived)
    closed = client.get(address(lived)).content.decode()

    assert '<script id="ae-lane-strips" type="application/json">[]</script>' in while_open
    assert '"name": "prices.btc"' in closed
