"""Review reads and does nothing; re-drive sends a recording to a session of its own."""

from typing import Any

import pytest
from django.apps import apps

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import State
from sessions.models import Replay, Session
from sessions.services import checkpoints, conversation, lifecycle, redrives, replays
from sessions.services.conversation import Utterance
from sessions.services.redrives import Drive
from streaming.core import position
from streaming.models import Log, Record
from tests import asking, factories
from tests.calling import Caller
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

# What was read, and by whom, is no part of what is reviewed.
ASIDE = {"aegis_components_credential", "django_session"}


def rows() -> dict[str, list[Any]]:
    """Every row of every table of ours."""
    ours = ("aegis_sessions", "aegis_components", "aegis_streaming")
    found: dict[str, list[Any]] = {}
    for model in apps.get_models():
        table = model._meta.db_table
        if model._meta.app_label in ours and table not in ASIDE:
            found[table] = list(model._default_manager.order_by("pk").values())
    return found


def recorded(session: Session, name: str = "prices.btc", count: int = 5) -> Log:
    """A topic on tape."""
    epoch = "e" * 16
    log = Log.objects.create(session=session, name=name, epoch=epoch, ck="", recorded=True)
    ck = position.genesis(name, epoch)
    for seq in range(1, count + 1):
        body = b'{"n":%d}' % seq
        ck = position.chain(ck, seq, body)
        Record.objects.create(
            log=log, epoch=epoch, seq=seq, ck=ck.hex(), ts=1_700_000_000_000 + seq, body=body
        )
    Log.objects.filter(pk=log.pk).update(head=count, ck=ck.hex())
    return log


def lived(**draft: Any) -> Session:
    """A session in which something of everything happened."""
    session = factories.session_in(State.RUNNING, key="desk", **draft)
    say = Utterance("Well?", answers=False)
    conversation.say(principal=OPERATOR, session=session, draft=say)
    asking.approval(asking.run(session))
    recorded(session)
    checkpoints.create(principal=OPERATOR, session=session, label="kept")
    lifecycle.pause(principal=OPERATOR, session=session)
    return session


READ = [
    "",
    "/events?after=0",
    "/messages",
    "/topics",
    "/components",
    "/checkpoints",
    "/checkpoints/kept",
    "/checkpoints/kept/diff",
    "/reconnect?after=1",
    "/approvals",
    "/runs",
    "/tool-calls",
]


def test_reviewing_moves_nothing(program: Caller):
    lived()
    before = rows()

    statuses = [program.get(f"/api/v1/sessions/desk{path}").status_code for path in READ]

    assert statuses == [200] * len(READ)
    assert rows() == before


def test_a_recording_is_driven_again_in_a_session_of_its_own():
    parts = [Expected("feed", Role.FEED), Expected("sink", Role.SINK, topics=("prices.*",))]
    parent = factories.session(key="desk", expected=parts, context={"desk": 1})
    recorded(parent)
    before = factories.events(parent)

    made = redrives.redrive(
        principal=OPERATOR, session=parent, drive=Drive(key="again", speed=10)
    ).session

    made.refresh_from_db()
    assert (made.state, made.mode, made.environment) == ("created", "historical", "test")
    assert (made.parent_id, made.name, made.context) == (parent.pk, "Re-drive of desk", {"desk": 1})
    assert factories.states(made) == {"sink": "pending"}
    assert factories.events(parent) == before
    replay = Replay.objects.get(session=made)
    assert (replay.speed, replay.source["topics"]) == (10, ["prices.btc"])
    [topic] = replays.find_topics(replay.source).topics
    assert topic.topic == "prices.btc"
    block = topic.read(topic.begin(b"\x00" * 8))
    assert block is not None
    assert list(block.data) == [b'{"n":%d}' % seq for seq in range(1, 6)]


def test_a_range_and_topics_are_chosen():
    parent = factories.session(key="desk")
    recorded(parent)
    recorded(parent, "prices.eth")
    drive = Drive(topics=("prices.eth",), from_=1_700_000_000_002, to=1_700_000_000_004)

    made = redrives.redrive(principal=OPERATOR, session=parent, drive=drive).session

    replay = Replay.objects.get(session=made)
    assert (replay.range_from, replay.range_to) == (1_700_000_000_002, 1_700_000_000_004)
    assert replay.source["topics"] == ["prices.eth"]


def test_what_was_not_recorded_is_not_driven():
    parent = factories.session()

    with pytest.raises(ValidationFailed):
        redrives.redrive(principal=OPERATOR, session=parent)


def test_who_may_not_read_its_topics_drives_nothing():
    parent = factories.session()
    recorded(parent)
    writer = factories.member(factories.team("default"), scopes=["sessions:write"])
    stranger = factories.member(factories.team("other"))

    with pytest.raises(PermissionDenied):
        redrives.redrive(principal=writer, session=parent)
    with pytest.raises(SessionNotFound):
        redrives.redrive(principal=stranger, session=parent)


def test_it_is_ordered_over_http_and_at_the_command_line(program: Caller, aegis: Any):
    parent = factories.session(key="desk")
    recorded(parent)

    said = program.post("/api/v1/sessions/desk/redrive", {"speed": 2, "key": "one"})
    told = aegis(
        "session", "redrive", "desk", "--speed", "4", "--key", "two", "--topic", "prices.*"
    )

    assert (said.status_code, said.json()["mode"]) == (201, "historical")
    assert said["Location"] == f"/api/v1/sessions/{said.json()['id']}"
    assert told.out == "○ created  two  Re-drive of desk\n"
    speeds = Replay.objects.order_by("session__created_at").values_list("speed", flat=True)
    assert list(speeds) == [2, 4]
