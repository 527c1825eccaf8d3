"""Agents that are woken by records and by the clock."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from aegis_project.database import run_db
from aegis_project.kit.errors import NotFound, PermissionDenied, ValidationFailed
from sessions.core.lifecycle import State
from sessions.models import Message, Run, Trigger
from sessions.services import triggers
from sessions.services.triggers import TriggerDraft
from sessions.worker import Watching
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub
from streaming.node import Node
from tests import factories, threads
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_

pytestmark = pytest.mark.django_db(transaction=True)

HIGH = {"all": [{"path": "price", "op": "gt", "value": 10}]}


def made(**draft) -> Trigger:
    created = triggers.create(principal=OPERATOR, agent=help_.agent(), draft=TriggerDraft(**draft))
    return created.trigger


@asynccontextmanager
async def watching():
    job = Watching()
    node = Node(hub=Hub(engines=[MemoryEngine()]), jobs=[job], url="beside:test")
    await node.start()
    try:
        yield node
    finally:
        node.is_draining = True
        await job.stop()
        await node.stop()


async def test_a_record_that_meets_the_condition_wakes_the_agent_once():
    session = await run_db(help_.session, agent="scribe")
    trigger = await run_db(
        partial(made, pattern="prices.*", condition=HIGH, prompt="{topic} is at {data}.")
    )
    key = (str(session.pk), "prices.BTC")

    async with watching() as node:
        await node.hub.publish(key, [(1, b'{"price":9}')])
        while not await run_db(Run.objects.exists):
            await node.hub.publish(key, [(2, b'{"price":11}')])
            await asyncio.sleep(0.05)
        await node.hub.publish(key, [(3, b'{"price":12}')])

    run = await run_db(Run.objects.get)
    message = await run_db(Message.objects.get)
    assert (run.trigger_id, run.message_id, run.agent_slug) == (trigger.pk, message.pk, "scribe")
    assert message.content == 'prices.BTC is at {"price":11}.'
    assert message.author == f"system:trigger:{trigger.pk}"


def test_of_many_who_see_a_record_one_wakes_the_agent():
    session = help_.session(agent="scribe")
    trigger = made(pattern="prices.*", cooldown_seconds=0)

    woken = threads.together([partial(wake, trigger, session, "prices.BTC:e:1")] * 6)

    assert len([one for one in woken if one is not None]) == 1


def test_trigger_rests_while_its_run_is_open_and_for_its_cooldown():
    session = help_.session()
    trigger = made(pattern="**", session=session)
    first = wake(trigger, session, "a")
    assert wake(trigger, session, "b") is None
    Run.objects.filter(pk=first.pk).update(state="completed")
    assert wake(trigger, session, "c") is None

    Run.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(seconds=61))

    assert wake(trigger, session, "a") is None
    assert wake(trigger, session, "d") is not None


def test_session_that_does_not_run_is_not_woken():
    trigger = made(pattern="**")

    assert wake(trigger, help_.session(State.PAUSED), "a") is None


def test_a_schedule_fires_once_in_each_of_its_sessions():
    mine = [help_.session(agent="scribe") for _ in range(2)]
    help_.session(agent="other")
    trigger = made(schedule="0 3 * * *", prompt="Tidy up.")
    assert triggers.fire_due() == 0
    Trigger.objects.update(next_at=timezone.now() - timedelta(minutes=1))

    fired = threads.together([triggers.fire_due] * 3)

    trigger.refresh_from_db()
    assert sum(fired) == 1
    assert trigger.next_at is not None
    assert trigger.next_at > timezone.now()
    assert {run.session_id for run in Run.objects.all()} == {one.pk for one in mine}
    assert set(Message.objects.values_list("content", flat=True)) == {"Tidy up."}


def test_one_that_is_off_is_not_due_and_makes_up_for_nothing():
    help_.session(agent="scribe")
    trigger = made(schedule="0 3 * * *")
    triggers.update(principal=OPERATOR, trigger=trigger.pk, changes={"is_active": False})
    Trigger.objects.update(next_at=timezone.now() - timedelta(minutes=1))

    off = triggers.fire_due()
    triggers.update(principal=OPERATOR, trigger=trigger.pk, changes={"is_active": True})

    assert (off, triggers.fire_due(), Run.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    "changes", [{"pattern": "a"}, {"schedule": ""}, {"condition": {"x": 1}}, {"agent": "other"}]
)
def test_a_change_that_cannot_be_changes_nothing(changes):
    trigger = made(schedule="@daily", prompt="Look.")

    with pytest.raises(ValidationFailed):
        triggers.update(principal=OPERATOR, trigger=trigger.pk, changes={"prompt": "no", **changes})

    trigger.refresh_from_db()
    assert (trigger.prompt, trigger.schedule, trigger.pattern) == ("Look.", "@daily", "")


def test_a_trigger_is_taken_away():
    trigger = made(schedule="@daily")

    triggers.remove(principal=OPERATOR, trigger=trigger.pk)

    with pytest.raises(NotFound):
        triggers.remove(principal=OPERATOR, trigger=trigger.pk)


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"pattern": "a", "schedule": "@daily"},
        {"schedule": "0 0 30 2 *"},
        {"pattern": "a", "condition": {"all": 1}},
    ],
)
def test_a_trigger_that_cannot_be_is_refused(draft):
    with pytest.raises(ValidationFailed):
        made(**draft)


def test_agent_of_everybody_is_not_set_on_every_session_by_a_team():
    principal, row = factories.member(factories.team("mine")), made(schedule="@daily")

    with pytest.raises(PermissionDenied):
        triggers.create(
            principal=principal, agent=help_.agent(), draft=TriggerDraft(schedule="@daily")
        )
    with pytest.raises(PermissionDenied):
        triggers.update(principal=principal, trigger=row.pk, changes={"prompt": "Now."})
    with pytest.raises(PermissionDenied):
        triggers.remove(principal=principal, trigger=row.pk)


def wake(trigger, session, cause):
    return triggers.wake(
        trigger_id=trigger.pk, session_id=session.pk, topic="t", data="1", cause=cause
    )
