"""A session that replays what another one recorded: whose recording it may be."""

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import Mode
from sessions.models import Replay
from sessions.services import lifecycle
from streaming.core.errors import TopicNotFound
from streaming.models import Log, Record
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

TRADES = "trades.BTCUSDT"


def recorded(**draft):
    session = factories.session(**draft)
    log = Log.objects.create(session=session, name=TRADES, epoch="a" * 16, ck="", recorded=True)
    Record.objects.create(log=log, epoch="a" * 16, seq=1, ck="", ts=1000, body=b"{}")
    return session


def replaying(reference, *, principal=OPERATOR, **draft):
    source = {"layout": "recording", "session": reference}
    return factories.session(
        principal=principal, mode=Mode.HISTORICAL, config={"source": source}, **draft
    )


@pytest.mark.parametrize("by", ["key", "pk"])
def test_recording_is_found_by_key_or_id(by):
    made = recorded(key="lived")

    session = replaying(str(getattr(made, by)))

    replay = Replay.objects.get(session=session)
    assert (replay.source["session"], replay.source["topics"]) == (str(made.pk), [TRADES])
    assert Log.objects.filter(session=session, name=TRADES).exists()


def test_recording_of_another_team_is_not_there():
    others = factories.team("others")
    made = recorded(team="others")
    of_both = factories.member(others, factories.session().team)

    with pytest.raises(SessionNotFound):
        replaying(str(made.pk), principal=of_both, team="default")
    with pytest.raises(SessionNotFound):
        replaying(str(made.pk), principal=factories.member(factories.session().team))


@pytest.mark.parametrize("reference", [None, "", 7])
def test_recording_must_be_of_some_session(reference):
    with pytest.raises((SessionNotFound, ValidationFailed)):
        replaying(reference)


def test_nothing_recorded_refuses_the_start():
    made = factories.session(key="lived")
    session = replaying(made.key)
    Replay.objects.filter(session=session).update(
        source={**Replay.objects.get(session=session).source, "topics": [TRADES]}
    )

    with pytest.raises(TopicNotFound):
        lifecycle.start(principal=OPERATOR, session=session)
