"""Checkpoints: what they hold, when they are taken, how many stay."""

import orjson
import pytest

from aegis_project import database
from aegis_project.kit.errors import InvalidState, PermissionDenied, ValidationFailed
from components.services.registry import Expected
from sessions.core.checkpoints import Moment
from sessions.core.errors import CheckpointNotFound
from sessions.core.lifecycle import State
from sessions.models import Checkpoint, Session, Snapshot
from sessions.selectors import checkpoints as reading
from sessions.services import checkpoints, creation, lifecycle, memory, taking, tool_calls, working
from sessions.services.working import Own
from streaming.models import Log
from tests import asking, factories
from tests.factories import OPERATOR
from tests.integration.sessions import tools_help

pytestmark = pytest.mark.django_db


def taken(session: Session, label: str = "") -> Checkpoint:
    return checkpoints.create(principal=OPERATOR, session=session, label=label)


def remember(session: Session, key: str, value: object) -> None:
    memory.remember(principal=OPERATOR, session=session, key=key, value=value)


def moments(session: Session) -> list[str]:
    rows = Checkpoint.objects.of_session(session.pk).reverse()
    return [row.moment for row in rows]


def test_a_checkpoint_points_at_its_event_and_holds_what_was_then():
    session = factories.session(
        memory={"n": 1}, expected=[Expected(name="feed", topics=("prices.*",))]
    )
    Log.objects.create(session=session, name="prices.btc", epoch="e" * 16, head=7, ck="c" * 16)

    row = taken(session, "before")

    event = factories.ledger(session)[-1]
    assert (event.type, event.seq, event.ck) == ("checkpoint.created", row.seq, row.ck)
    assert orjson.loads(event.body)["data"] == {"checkpoint": str(row.pk), "label": "before"}
    held = reading.held(reading.find(OPERATOR, session, "before"))
    assert held.memory == {"n": 1}
    assert held.participants == [
        {
            "name": "feed",
            "role": "observer",
            "required": True,
            "topics": ["prices.*"],
            "program": None,
        }
    ]
    assert held.positions == {"prices.btc": {"epoch": "e" * 16, "seq": 7, "ck": "c" * 16}}
    assert (row.cause, row.author, row.state) == ("manual", OPERATOR.actor, "created")


def test_what_did_not_change_is_stored_once():
    session = factories.session(memory={"text": "x" * 5000})

    first, second = taken(session), taken(session)
    remember(session, "text", "y")
    third = taken(session)

    assert first.snapshot_id == second.snapshot_id != third.snapshot_id
    assert second.size < 100 < 5000 < first.size
    assert Snapshot.objects.filter(session=session).count() == 2


def test_two_checkpoints_differ_by_memory_participants_positions_and_what_happened():
    session = factories.session(memory={"a": 1, "b": [1]})
    first = taken(session)
    remember(session, "a", 2)
    remember(session, "b", None)
    creation.attach(principal=OPERATOR, session=session, expected=[Expected(name="sink")])
    Log.objects.create(session=session, name="t", epoch="e" * 16, head=1, ck="c" * 16)
    second = taken(session)

    found = reading.difference(session.pk, reading.held(first), reading.held(second))

    assert [(one.name, one.before, one.after) for one in found.memory] == [
        ("a", 1, 2),
        ("b", [1], None),
    ]
    assert [(one.name, one.before) for one in found.participants] == [("sink", None)]
    assert [one.name for one in found.positions] == ["t"]
    assert found.happened == {
        "session.updated": 2,
        "component.attached": 1,
        "credential.issued": 1,
        "checkpoint.created": 1,
    }


def test_a_run_leaves_checkpoints_at_its_start_before_its_tools_and_at_its_end():
    run, held = tools_help.working()
    call = tools_help.approved(run)
    own: Own = {"run_id": run.pk, "fence": held.fence}

    tool_calls.start(call.pk, **own)
    tool_calls.finish(call.pk, **own, result=1)
    working.fail(**own, error=InvalidState("No."))

    assert moments(run.session) == ["run_start", "before_tool", "run_end"]
    start, before, end = Checkpoint.objects.of_session(run.session_id).reverse()
    events = {event.seq: event for event in factories.ledger(run.session)}
    assert [events[one.seq].type for one in (start, before, end)] == [
        "stream.started",
        "tool_call.started",
        "stream.ended",
    ]
    assert [one["state"] for one in start.runs] == ["working"]
    assert (before.last_run, end.runs) == (1, [])
    assert all(events[one.seq].ck == one.ck for one in (start, before, end))


def test_an_approval_and_a_pause_leave_checkpoints():
    session = factories.session_in(State.RUNNING)

    asking.approval(asking.run(session))
    lifecycle.pause(principal=OPERATOR, session=session)

    assert moments(session) == ["approval_pending", "pause"]
    assert [event.type for event in factories.ledger(session)][-1] == "session.suspended"


def test_what_is_rolled_back_leaves_none():
    session = factories.session_in(State.RUNNING)

    def fail() -> None:
        with database.atomic():
            taking.note(session.pk, Moment.PAUSE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert moments(session) == []


def test_so_many_automatic_ones_stay_and_every_manual_one():
    session = factories.session_in(State.RUNNING, config={"checkpoints": {"keep": 2}})
    mine = taken(session, "mine")

    for number in range(4):
        remember(session, "n", number)
        lifecycle.pause(principal=OPERATOR, session=session)
        lifecycle.start(principal=OPERATOR, session=session)

    rows = list(Checkpoint.objects.of_session(session.pk))
    assert [row.cause for row in rows] == ["automatic", "automatic", "manual"]
    assert [reading.held(row).memory for row in rows] == [{"n": 3}, {"n": 2}, {}]
    assert rows[-1] == mine
    assert Snapshot.objects.filter(session=session).count() == 3


def test_a_session_takes_none_by_itself_if_it_says_so():
    session = factories.session_in(State.RUNNING, config={"checkpoints": {"automatic": False}})

    lifecycle.pause(principal=OPERATOR, session=session)

    assert moments(session) == []


@pytest.mark.parametrize(
    "said", [3, {"keep": 0}, {"keep": 201}, {"keep": True}, {"automatic": 1}, {"kept": 3}]
)
def test_rules_that_cannot_be_are_refused(said: object):
    with pytest.raises(ValidationFailed):
        factories.session(config={"checkpoints": said})


def test_rules_that_were_kept_before_anybody_judged_them_count_for_none():
    session = factories.session_in(State.RUNNING)
    Session.objects.filter(pk=session.pk).update(config={"checkpoints": "often"})

    lifecycle.pause(principal=OPERATOR, session=session)

    assert moments(session) == ["pause"]


def test_a_checkpoint_is_removed_with_what_only_it_holds():
    session = factories.session(memory={"n": 1})
    taken(session, "one")
    remember(session, "n", 2)
    taken(session, "two")

    checkpoints.delete(principal=OPERATOR, session=session, checkpoint="one")

    assert [row.label for row in reading.readable(OPERATOR, session)] == ["two"]
    assert Snapshot.objects.filter(session=session).count() == 1
    assert factories.events(session)[-1] == "checkpoint.deleted"


def test_of_several_with_one_label_the_newest_is_meant():
    session = factories.session()
    taken(session, "same")
    newest = taken(session, "same")

    assert reading.find(OPERATOR, session, "same") == newest
    assert reading.find(OPERATOR, session, "latest") == newest
    assert reading.find(OPERATOR, session, str(newest.pk)) == newest


@pytest.mark.parametrize(
    "reference", ["", "nobody", "a\x00b", "00000000-0000-4000-8000-000000000000"]
)
def test_what_is_not_there_is_not_found(reference: str):
    session = factories.session()
    other = taken(factories.session(), "nobody")

    with pytest.raises(CheckpointNotFound):
        reading.find(OPERATOR, session, reference)
    with pytest.raises(CheckpointNotFound):
        reading.find(OPERATOR, session, str(other.pk))


def test_a_closed_session_takes_none_and_a_reader_may_not():
    session = factories.session_in(State.ENDED)
    reader = factories.member(factories.team("default"), scopes=["sessions:read"])

    with pytest.raises(InvalidState):
        taken(session)
    with pytest.raises(PermissionDenied):
        checkpoints.create(principal=reader, session=factories.session())
