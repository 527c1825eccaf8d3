from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aegis_project.database import run_db
from components.models import Component
from components.services.registry import Expected
from sessions import jobs
from sessions.core.lifecycle import State
from sessions.jobs import Sweep
from sessions.models import Session
from sessions.selectors import waiting
from sessions.services import lifecycle
from streaming.hints import Hint
from streaming.hub import Hub
from streaming.models import AuditEntry, Log
from streaming.node import Node
from tests import factories, threads
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)

PAST = timedelta(seconds=-1)


async def sweep() -> None:
    await Sweep().run(Node(hub=Hub(), jobs=[]))


def unheard(session: Session, **fields: Any) -> None:
    """A change of components whose announcement nobody heard."""
    Component.objects.filter(session=session).update(**fields)


def starting() -> Session:
    session = factories.session(expected=[Expected(name="feed")])
    lifecycle.start(principal=OPERATOR, session=session)
    return session


async def state_of(session: Session) -> str:
    return (await run_db(Session.objects.get, pk=session.pk)).state


async def test_a_start_whose_ready_was_missed_is_found():
    session = await run_db(starting)
    await run_db(unheard, session, state="ready")

    await sweep()

    assert await state_of(session) == "running"
    assert await run_db(factories.states, session) == {"feed": "running"}


async def test_a_start_past_its_deadline_is_found():
    session = await run_db(starting)
    await run_db(Session.objects.update, start_deadline_at=timezone.now() + PAST)

    await sweep()

    assert await state_of(session) == "failed"


async def test_a_component_whose_ready_was_missed_is_found():
    session = await run_db(factories.session_in, State.RUNNING)
    await run_db(factories.readied, session)
    await run_db(unheard, session, state="ready")

    await sweep()

    assert await run_db(factories.states, session) == {"component-1": "running"}


async def test_a_required_component_whose_failure_was_missed_is_found():
    session = await run_db(starting)
    await run_db(factories.readied, session, "feed")
    await run_db(unheard, session, state="failed")

    await sweep()

    assert await state_of(session) == "failed"


async def test_a_session_whose_time_is_over_is_ended():
    over = await run_db(factories.session, expires_at=timezone.now() + PAST)
    lasting = await run_db(factories.session, expires_at=timezone.now() - PAST * 3600)

    await sweep()

    assert (await state_of(over), await state_of(lasting)) == ("ended", "created")
    assert (await run_db(factories.told, over))[-1] == (
        "session.ended",
        {"state": "ended", "from": "created", "reason": "expired", "result": None},
    )


async def test_a_sweep_that_finds_nothing_changes_nothing():
    for state in State:
        await run_db(factories.session_in, state)
    await run_db(starting)
    before = await run_db(lambda: list(Session.objects.order_by("pk").values()))

    await sweep()

    assert await run_db(lambda: list(Session.objects.order_by("pk").values())) == before


async def test_a_session_that_cannot_be_swept_keeps_no_other_waiting(
    caplog: pytest.LogCaptureFixture,
):
    broken, sound = await run_db(starting), await run_db(starting)
    for session in (broken, sound):
        await run_db(unheard, session, state="ready")
    await run_db(Log.objects.filter(session=broken).delete)

    await sweep()

    assert (await state_of(broken), await state_of(sound)) == ("created", "running")
    assert [record.message for record in caplog.records] == ["A session was not swept"]


def test_sweeps_of_many_processes_at_once_do_everything_once():
    session = starting()
    unheard(session, state="ready")

    threads.together([lambda: [lifecycle.settle(session_id=pk) for pk in jobs.unsettled()]] * 8)

    assert factories.events(session).count("session.activated") == 1


def test_a_sweep_waits_for_its_time():
    assert not Sweep().wants(Hint("component", "c"))


def test_expiring_is_audited_as_the_work_of_aegis_itself():
    session = factories.session(expires_at=timezone.now() + PAST)

    for pk in jobs.expired():
        lifecycle.end(principal=jobs.SYSTEM, session=pk, reason="expired")

    entry = AuditEntry.objects.get(command="session.end")
    assert (entry.actor, entry.transport, entry.session_id) == (
        "system:expiry",
        "job",
        session.pk,
    )


# Waiting for a start


def test_who_waits_for_a_start_gets_the_session_once_it_settled():
    session = starting()

    with threads.beside(lambda: factories.readied(session, "feed")):
        found = waiting.settled(session, timeout_seconds=30)

    assert found.state == "running"


def test_who_waits_too_long_gets_the_session_as_it_is():
    session = starting()

    found = waiting.settled(session, timeout_seconds=0)

    assert (found.state, found.is_starting) == ("created", True)


def test_nobody_waits_for_a_session_that_does_not_start():
    session = factories.session_in(State.PAUSED)

    assert waiting.settled(session, timeout_seconds=600).state == "paused"
