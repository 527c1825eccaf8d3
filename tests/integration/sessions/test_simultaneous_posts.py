"""Fifty messages at once, under each admission, with an agent that answers meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from aegis_project.database import read_db, run_db
from sessions.core.conversation import Admission, Role
from sessions.models import Message, Run, Session
from sessions.selectors import history
from sessions.worker import EQUIPMENT, Worker
from streaming.hub import Hub
from streaming.jobs import LeaseJob
from streaming.models import Log
from streaming.node import Node
from streaming.services import ledger
from tests import factories, threads
from tests.calling import Caller, caller
from tests.integration.sessions import working_help as help_

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

COUNT = 50
USER, ASSISTANT = Role.USER.value, Role.ASSISTANT.value
OVER = {"completed", "cancelled"}


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    """A process that works on runs."""
    worker = Worker(EQUIPMENT)
    node = Node(hub=Hub(), jobs=[LeaseJob(), worker], url="")
    await node.start()
    try:
        yield
    finally:
        node.is_draining = True
        await worker.stop()
        await node.stop()


def prepared(admission: Admission) -> tuple[Session, Caller]:
    help_.agent("scribe", model="scripted:echo")
    return factories.session(agent="scribe", config={"admission": admission.value}), caller()


def posts(session: Session, program: Caller) -> list[Any]:
    """What each of them was answered with, all sent at the same moment."""

    def post(number: int) -> Any:
        # A client of its own each, as it is with people.
        one = Caller()
        one.headers = program.headers
        return one.post(f"/api/v1/sessions/{session.pk}/messages", {"content": f"q{number}"})

    return threads.together([partial(post, number) for number in range(COUNT)])


async def told(admission: Admission) -> tuple[Session, list[Any]]:
    """The session and the answers, once nothing more happens in it."""
    session, program = await run_db(prepared, admission)
    async with working():
        answers = await asyncio.to_thread(posts, session, program)
        async with asyncio.timeout(120):
            while await read_db(Run.objects.open().exists):  # noqa: ASYNC110 -- rows set no event
                await asyncio.sleep(0.05)
    return session, answers


def states() -> list[str]:
    return list(Run.objects.order_by("place").values_list("state", flat=True))


def transcript(session: Session) -> list[tuple[str, str]]:
    """What a model is shown that goes on now."""
    last = Message.objects.filter(session=session, is_chosen=True, role=USER).latest("place")
    return [(turn.role.value, turn.content) for turn in history.turns(session.pk, up_to=last)]


def check_rows(session: Session, kept: int) -> None:
    """Places without gaps, a sound ledger, one run at a time, counters that count."""
    session.refresh_from_db()
    places = list(Message.objects.order_by("place").values_list("place", flat=True))
    assert places == list(range(1, session.message_count + 1))
    assert Message.objects.filter(role=USER).count() == Run.objects.count() == kept
    assert ledger.chain_is_sound(Log.objects.get(session=session, name="ledger"))
    steps = [type_ for type_ in factories.events(session) if type_ in {"run.started", *ENDS}]
    is_working = False
    for step in steps:
        assert (step == "run.started") is not is_working or step == "run.cancelled"
        is_working = step == "run.started"


ENDS = {"run.completed", "run.cancelled"}


def check_enqueue(session: Session, answers: list[Any]) -> None:
    assert {one.status_code for one in answers} == {201}
    assert states() == ["completed"] * COUNT
    check_rows(session, COUNT)
    found = transcript(session)
    assert [role for role, _ in found] == [USER, ASSISTANT] * COUNT
    for (_, question), (_, answer) in zip(found[::2], found[1::2], strict=True):
        assert question in answer


def check_reject(session: Session, answers: list[Any]) -> None:
    kept = [one for one in answers if one.status_code == 201]
    refused = [one for one in answers if one.status_code != 201]
    assert kept
    assert {(one.status_code, one.json()["error"]["code"]) for one in refused} <= {
        (400, "INVALID_STATE")
    }
    assert states() == ["completed"] * len(kept)
    check_rows(session, len(kept))
    assert [role for role, _ in transcript(session)] == [USER, ASSISTANT] * len(kept)


def check_interrupt(session: Session, answers: list[Any]) -> None:
    assert {one.status_code for one in answers} == {201}
    assert set(states()) <= OVER
    assert states()[-1] == "completed"
    check_rows(session, COUNT)
    found = transcript(session)
    assert [role for role, _ in found].count(USER) == COUNT
    assert found[-1][0] == ASSISTANT
    completed = Run.objects.filter(state="completed")
    assert all(run.answer is not None and run.answer.is_chosen for run in completed)


def check_rollback(session: Session, answers: list[Any]) -> None:
    assert {one.status_code for one in answers} == {201}
    assert set(states()) <= OVER
    assert states()[-1] == "completed"
    check_rows(session, COUNT)
    asked = Message.objects.filter(role=USER, is_chosen=True).order_by("place")
    completed = Run.objects.filter(state="completed").order_by("place")
    assert list(asked) == [run.message for run in completed]
    assert [role for role, _ in transcript(session)] == [USER, ASSISTANT] * len(completed)
    chosen = list(Message.objects.filter(is_chosen=True).order_by("place"))
    assert [one.parent for one in chosen] == [None, *chosen[:-1]]


CHECKS = {
    Admission.ENQUEUE: check_enqueue,
    Admission.REJECT: check_reject,
    Admission.INTERRUPT: check_interrupt,
    Admission.ROLLBACK: check_rollback,
}


@pytest.mark.parametrize("admission", list(Admission))
async def test_fifty_posts_at_once_give_the_result_of_their_admission(admission: Admission):
    session, answers = await told(admission)

    await run_db(CHECKS[admission], session, answers)
