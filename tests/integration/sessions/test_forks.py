"""Sessions that are made from a checkpoint of another, and what their tools do."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from aegis_project import database
from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from components.core.lifecycle import Role as Part
from components.services.registry import Expected
from sessions.core.checkpoints import Effects
from sessions.core.conversation import Role
from sessions.core.errors import CheckpointNotFound
from sessions.core.lifecycle import State
from sessions.files import storage
from sessions.models import Attachment, Fork, Grant, Message, Run, Session, ToolCall
from sessions.runs.calling import Calls
from sessions.selectors import effects, history
from sessions.services import (
    attachments,
    checkpoints,
    conversation,
    forks,
    lifecycle,
    memory,
    messages,
    tool_calls,
)
from sessions.services.conversation import Utterance
from sessions.services.forks import Wish
from sessions.toolbox import offered, tool
from sessions.toolbox.box import Box
from streaming.models import Log, Record
from streaming.services import ledger
from tests import asking, factories
from tests.factories import OPERATOR
from tests.integration.sessions import tools_help, working_help
from tests.outside import Outside, outside

pytestmark = pytest.mark.django_db


def taken(session: Session, label: str = "kept") -> Any:
    return checkpoints.create(principal=OPERATOR, session=session, label=label)


def forked(session: Session, **wish: Any) -> Session:
    made = forks.fork(principal=OPERATOR, session=session, checkpoint="latest", wish=Wish(**wish))
    return made.session


def say(session: Session, content: str, **more: Any) -> Message:
    draft = Utterance(content, answers=False, **more)
    return conversation.say(principal=OPERATOR, session=session, draft=draft).message


def said(session: Session) -> list[tuple[str, str]]:
    rows = Message.objects.of_session(session.pk)
    return [(row.role, row.content) for row in rows]


def everything(session: Session) -> dict[str, Any]:
    """All that is kept of a session and its parts, but for what it is the parent of."""
    kept: dict[str, Any] = {"session": Session.objects.filter(pk=session.pk).values().get()}
    for model in (Message, Run, ToolCall, Attachment, Log):
        kept[model.__name__] = list(model.objects.filter(session=session).order_by("pk").values())
    kept["events"] = [event.body for event in factories.ledger(session)]
    return kept


def test_a_fork_has_what_was_there_and_leaves_its_parent_alone():
    parent = factories.session(
        key="desk",
        memory={"n": 1},
        context={"desk": 4},
        config={"topics": []},
        expected=[Expected(name="feed", topics=("prices.*",))],
    )
    say(parent, "First.")
    kept = taken(parent)
    say(parent, "Second.")
    memory.remember(principal=OPERATOR, session=parent, key="n", value=2)
    before = everything(parent)

    child = forks.fork(principal=OPERATOR, session=parent, checkpoint="kept").session

    assert everything(parent) == before
    child.refresh_from_db()
    assert (child.state, child.parent_id, child.memory) == ("created", parent.pk, {"n": 1})
    assert (child.context, child.config) == (parent.context, parent.config)
    assert (child.name, child.message_count, child.component_count) == ("Fork of desk", 1, 1)
    assert said(child) == [("user", "First.")]
    assert factories.states(child) == {"feed": "pending"}
    assert factories.told(child)[-1] == (
        "session.forked",
        {
            "parent": str(parent.pk),
            "checkpoint": str(kept.pk),
            "at": kept.seq,
            "effects": "recorded",
            "messages": 1,
        },
    )


def test_the_conversation_is_the_branch_that_was_chosen_then():
    parent = factories.session()
    first = say(parent, "First.")
    say(parent, "Chosen then.")
    taken(parent)
    say(parent, "Chosen now.", parent=first.pk)

    child = forked(parent)

    assert said(parent) == [("user", "First."), ("user", "Chosen now.")]
    assert said(child) == [("user", "First."), ("user", "Chosen then.")]


def test_a_finished_run_comes_along_with_its_calls_and_an_open_one_does_not(tmp_path: Any):
    parent = working_help.session()
    say(parent, "Look.")
    run, own = working_help.admitted(parent), working_help.claimed()
    [call] = tools_help.request(run, tools_help.asked("look"))
    tool_calls.start(call.pk, run_id=run.pk, fence=own.fence)
    tool_calls.finish(call.pk, run_id=run.pk, fence=own.fence, result={"seen": 1})
    Run.objects.filter(pk=run.pk).update(state="completed")
    open_run = working_help.admitted(parent)
    tools_help.request(open_run, tools_help.asked("look"))
    taken(parent)

    child = forked(parent)

    last = messages.last(child.pk)
    assert last is not None
    turns = history.turns(child.pk, up_to=last)
    assert [turn.role.value for turn in turns] == ["user", "assistant", "tool"]
    assert turns[-1].content == '{"seen":1}'
    [copy] = Run.objects.filter(session=child)
    assert (copy.state, copy.place, copy.lease_id) == ("completed", 1, None)
    assert [one.__class__.__name__ for one in working_help.log(copy)] == ["Start", "End"]


def test_files_come_along_as_files_of_their_own():
    parent = factories.session()
    file = attachments.upload(
        principal=OPERATOR, session=parent, filename="a.txt", content=b"hello"
    )
    say(parent, "See.", attachments=[file.pk])
    taken(parent)

    child = forked(parent)

    [copy] = Attachment.objects.filter(session=child)
    assert copy.message is not None
    assert (copy.sha256, copy.message.session_id) == (file.sha256, child.pk)
    assert copy.path != file.path
    assert storage.read(copy.path) == b"hello"


def test_a_fork_of_a_replay_begins_where_its_clock_stood_and_a_recording_is_replayed():
    parent = factories.session_in(State.RUNNING)
    log = Log.objects.create(
        session=parent, name="prices", epoch="e" * 16, head=1, ck="c" * 16, recorded=True
    )
    Record.objects.create(log=log, epoch=log.epoch, seq=1, ck="c" * 16, ts=1, body=b"{}")
    kept = taken(parent)

    child = forked(parent, is_replay=True)

    source = child.config["source"]
    assert child.mode == "historical"
    assert source == {
        "layout": "recording",
        "session": str(parent.pk),
        "topics": ["prices"],
        "from": int(kept.created_at.timestamp() * 1000),
    }


def test_what_nobody_recorded_is_not_replayed():
    parent = factories.session()
    taken(parent)

    with pytest.raises(ValidationFailed):
        forked(parent, is_replay=True)


def test_a_fork_has_no_say_that_its_parent_was_given():
    parent = factories.session_in(State.RUNNING)
    run = asking.run(parent)
    approval = asking.approval(run)
    Grant.objects.create(
        session=parent, team=parent.team, tool="orders.place", verdict="auto", approval=approval
    )
    taken(parent)

    child = forked(parent)

    assert (child.credentials.count(), child.approvals.count()) == (0, 0)
    assert not Grant.objects.filter(session=child).exists()


def test_who_may_not_see_it_or_write_gets_no_fork():
    parent = factories.session()
    taken(parent)
    controller = factories.member(
        factories.team("default"), scopes=["sessions:read", "sessions:control"]
    )

    with pytest.raises(PermissionDenied):
        forks.fork(principal=controller, session=parent, checkpoint="latest")
    with pytest.raises(CheckpointNotFound):
        forks.fork(principal=OPERATOR, session=parent, checkpoint="other")
    assert Session.objects.count() == 1


def test_the_ledger_of_a_fork_is_sound():
    parent = factories.session(memory={"n": 1})
    say(parent, "First.")
    taken(parent)

    child = forked(parent)

    assert ledger.chain_is_sound(Log.objects.ledger_of(child.pk).get())


# What the tools of a fork do


@pytest.fixture
def shop() -> Iterator[Outside]:
    with outside() as place:
        yield place


def box(shop: Outside) -> Box:
    @tool(risk="high", name="order")
    def order(count: int) -> Any:
        """Order something."""
        answer = httpx2.post(shop.url("/order"), json={"count": count}, trust_env=False)
        return {"status": answer.status_code, "count": count}

    return Box([order.tool()])


async def carry_out(run: Run, fence: int, calls: list[ToolCall], shop: Outside) -> None:
    await Calls(run, fence=fence, box=box(shop)).carry_out(calls)


def outcome(call: ToolCall) -> tuple[str, Any]:
    call.refresh_from_db()
    return call.state, call.result if call.error is None else call.error["message"]


def ordered(session: Session, counts: list[int], shop: Outside) -> list[ToolCall]:
    """A run of a session that orders so many, one after another, and is then over."""
    run, own = working_help.admitted(session), working_help.claimed()
    calls = [tools_help.approved(run, arguments={"count": count}) for count in counts]
    for call in calls:
        asyncio.run(carry_out(run, own.fence, [call], shop))
    Run.objects.filter(pk=run.pk).update(state="completed")
    return calls


def started(session: Session) -> Session:
    return lifecycle.start(principal=OPERATOR, session=session).session


@pytest.mark.django_db(transaction=True)
def test_with_recorded_effects_nothing_is_carried_out_twice(shop: Outside):
    parent = working_help.session()
    ordered(parent, [1], shop)
    taken(parent)
    ordered(parent, [2, 3, 2], shop)
    assert len(shop.visits) == 4
    ToolCall.objects.filter(session=parent, arguments={"count": 3}).update(
        state="failed", error={"code": "TOOL_EXECUTION_FAILED", "message": "Sold out."}
    )

    child = started(forked(parent))
    calls = ordered(child, [2, 2, 2, 3, 1], shop)

    assert len(shop.visits) == 4
    done = {"status": 200, "count": 2}
    stub = {
        "stub": True,
        "tool": "order",
        "message": "Not carried out in this fork: nothing was recorded for it.",
    }
    assert [outcome(one) for one in calls] == [
        ("completed", done),
        ("completed", done),
        ("completed", stub),
        ("failed", "Sold out."),
        ("completed", stub),
    ]
    told = [data for type_, data in factories.told(child) if type_ == "tool_call.started"]
    assert [one["effects"] for one in told] == ["recorded"] * 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "visits"), [(Effects.STUB, 1), (Effects.LIVE, 2)])
def test_stubs_say_so_and_live_effects_are_carried_out(shop: Outside, kind: Effects, visits: int):
    parent = working_help.session()
    taken(parent)
    ordered(parent, [2], shop)

    child = started(forked(parent, effects=kind))
    [call] = ordered(child, [2], shop)

    assert len(shop.visits) == visits
    call.refresh_from_db()
    assert ("stub" in (call.result or {})) is (kind is Effects.STUB)


@pytest.mark.parametrize("kind", Effects)
def test_tools_of_components_are_offered_where_nobody_carries_them_out(kind: Effects):
    parent = factories.session(expected=[Expected(name="shop", role=Part.TOOL)])
    parent.components.update(capabilities={"tools": [{"name": "order"}]}, state="running")
    taken(parent)

    child = forked(parent, effects=kind)

    names = [one.spec.name for one in offered.of(child.pk)]
    assert names == ([] if kind is Effects.LIVE else ["component.shop.order"])


def test_what_stays_within_the_fork_is_carried_out():
    parent = working_help.session()
    taken(parent)
    child = started(forked(parent, effects=Effects.STUB))
    run = working_help.admitted(child)

    within = tools_help.approved(run, "memory_set", source="builtin")
    beyond = tools_help.approved(run, "http_get", source="builtin")

    assert effects.answer(within) is None
    assert effects.answer(beyond) is not None
    assert Fork.objects.get(session=child).effects == "stub"


def test_a_new_decision_is_needed_in_a_fork_whatever_was_decided_before():
    parent = working_help.session()
    taken(parent)
    child = started(forked(parent, effects=Effects.LIVE))
    run = working_help.admitted(child)

    [call] = tools_help.request(run, tools_help.asked("order", {"count": 1}))

    assert (call.state, child.approvals.count()) == ("pending", 1)


def test_messages_of_a_fork_have_places_of_their_own():
    parent = factories.session()
    for number in range(5):
        say(parent, f"{number}")
    with database.atomic():
        row = Session.objects.locked(parent.pk)
        messages.append(row, role=Role.ASSISTANT, content="Beside.", author="agent:x")
    taken(parent)

    child = forked(parent)
    say(child, "On.")

    assert [row.place for row in Message.objects.of_session(child.pk)] == [*range(1, 8)]
