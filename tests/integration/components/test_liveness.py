import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aegis_project import database
from aegis_project.database import run_db
from aegis_project.kit import principal as principals
from components.core import beats
from components.core.beats import Sign
from components.core.lifecycle import State
from components.jobs import Liveness
from components.models import Component, Launch
from components.services import credentials, liveness, standing
from sessions.models import Session
from sessions.services import creation
from streaming.hub import Hub
from streaming.models import Lease
from streaming.node import Node
from streaming.services import leases
from tests import factories, threads

pytestmark = pytest.mark.django_db

BY = principals.system("tests")
CONNECTED = [State.REGISTERED, State.READY, State.RUNNING]
UNCONNECTED = [State.PENDING, State.STOPPED, State.FAILED, State.LOST]


def held(session: Session, state: State, lease: Lease | None, name: str = "feed") -> Component:
    return Component.objects.create(session=session, name=name, state=state.value, lease=lease)


# Orphans


@pytest.mark.parametrize("state", CONNECTED)
def test_who_is_held_by_a_dead_process_is_lost(state: State):
    session = factories.session()
    held(session, state, factories.lease(seconds=-1))

    assert liveness.lose_orphans() == 1
    assert liveness.lose_orphans() == 0

    component = Component.objects.get()
    assert (component.state, component.error) == ("lost", "its server is gone")
    assert factories.events(session)[-1] == "component.lost"


@pytest.mark.parametrize("state", CONNECTED)
def test_who_is_held_by_nobody_is_lost(state: State):
    held(factories.session(), state, None)

    assert liveness.lose_orphans() == 1


@pytest.mark.parametrize("state", CONNECTED)
def test_who_is_held_by_a_living_process_stays(state: State):
    held(factories.session(), state, factories.lease(seconds=1))

    assert liveness.lose_orphans() == 0


def test_a_process_that_renews_late_does_not_lose_whom_it_holds_itself():
    own = factories.lease(seconds=-1)
    held(factories.session(), State.RUNNING, own)
    held(factories.session(), State.RUNNING, None)

    assert liveness.lose_orphans(own=own.pk) == 1
    assert Component.objects.get(lease=own).state == State.RUNNING


@pytest.mark.parametrize("state", UNCONNECTED)
def test_who_is_not_connected_is_no_orphan(state: State):
    held(factories.session(), state, None)

    assert liveness.lose_orphans() == 0


def test_a_process_lives_as_long_as_it_renews_its_lease():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        lease = leases.take(url="http://one")
        held(factories.session(), State.READY, lease)
        clock.shift(leases.LEASE_SECONDS)
        assert leases.renew(lease_id=lease.pk)
        clock.shift(leases.LEASE_SECONDS)
        alive = liveness.lose_orphans()
        clock.shift(0.001)
        gone = liveness.lose_orphans()

    assert (alive, gone) == (0, 1)


def test_a_process_that_gives_its_lease_back_is_gone_at_once():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        lease = leases.take(url="")
        held(factories.session(), State.READY, lease)

        leases.release(lease_id=lease.pk)
        clock.shift(0.001)

        assert liveness.lose_orphans() == 1


def test_a_lease_that_was_removed_cannot_be_renewed():
    lease = leases.take(url="")
    Lease.objects.all().delete()

    assert not leases.renew(lease_id=lease.pk)


def test_leases_of_long_gone_processes_are_removed_with_the_next_that_comes():
    factories.lease(seconds=-timedelta(days=1, minutes=1).total_seconds())
    recent = factories.lease(seconds=-60)

    lease = leases.take(url="")

    assert set(Lease.objects.all()) == {recent, lease}


# The grace


@pytest.mark.parametrize("state", [State.LOST, State.REGISTERED])
def test_who_is_not_ready_again_within_the_grace_fails(state: State):
    session = factories.session()
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        component = held(session, state, None)
        Component.objects.update(lost_at=timezone.now(), error="silent")
        clock.shift(30)
        within = liveness.fail_overdue(grace_seconds=30)
        clock.shift(0.001)
        after = liveness.fail_overdue(grace_seconds=30)
        again = liveness.fail_overdue(grace_seconds=30)

    component.refresh_from_db()
    assert (within, after, again) == (0, 1, 0)
    assert component.state == "failed"
    type_, data = factories.told(session)[-1]
    assert (type_, data["reason"]) == ("component.failed", "silent")


@pytest.mark.parametrize("state", [one for one in State if one not in {"lost", "registered"}])
def test_who_is_ready_or_gone_for_good_does_not_fail(state: State):
    held(factories.session(), state, None)
    Component.objects.update(lost_at=timezone.now() - timedelta(hours=1))

    assert liveness.fail_overdue(grace_seconds=30) == 0


def test_who_registered_and_was_never_lost_does_not_fail():
    factories.joined(factories.session())

    assert liveness.fail_overdue(grace_seconds=-1) == 0


def test_who_failed_and_came_back_has_all_the_time_there_is():
    session = factories.session()
    component = factories.readied(session, "feed")
    standing.lose(component_id=str(component.pk), fence=component.fence, reason="silent")
    assert liveness.fail_overdue(grace_seconds=-1) == 1

    factories.joined(session, "feed")

    assert liveness.fail_overdue(grace_seconds=-1) == 0
    assert factories.states(session) == {"feed": "registered"}


def test_who_is_lost_with_a_revoked_token_fails_at_once_but_not_one_of_a_launcher():
    session = factories.session()
    barred, patient, launched = [
        held(session, State.LOST, None, name) for name in ("barred", "patient", "launched")
    ]
    issued = creation.issue_token(principal=BY, session=session)
    token = credentials.revoke(principal=BY, credential=issued.credential.pk)
    Component.objects.exclude(pk=patient.pk).update(token=token)
    Component.objects.update(lost_at=timezone.now(), error="token_revoked")
    Launch.objects.create(component=launched)

    assert liveness.fail_overdue(grace_seconds=30) == 1

    assert factories.states(session) == {"barred": "failed", "patient": "lost", "launched": "lost"}
    type_, data = factories.told(session)[-1]
    assert (type_, data["message"]) == ("component.failed", "Its token was revoked.")
    assert data["component_id"] == str(barred.pk)


# Beats


def test_a_process_notes_the_beats_of_its_own_components_only():
    session = factories.session()
    mine, others = factories.lease(), factories.lease()
    heard = held(session, State.READY, mine, "heard")
    quiet = held(session, State.READY, mine, "quiet")
    foreign = held(session, State.READY, others, "foreign")

    liveness.beat(lease_id=mine.pk, component_ids=[str(heard.pk), str(foreign.pk)])

    (noted,) = Component.objects.exclude(last_heartbeat_at=None)
    assert noted.pk == heard.pk
    assert [beat.sign for beat in beats.read(noted.beats)] == [Sign.HEARD]
    assert quiet.last_heartbeat_at is None


def test_the_last_sixty_beats_are_kept_in_the_statement_that_notes_them():
    lease = factories.lease()
    ids = [str(held(factories.session(), State.READY, lease, "feed").pk) for _ in range(2)]
    with CaptureQueriesContext(connection) as asked:
        for _ in range(beats.KEPT + 1):
            liveness.beat(lease_id=lease.pk, component_ids=ids)

    said = [query["sql"].split()[0] for query in asked if "component" in query["sql"]]
    assert said == ["UPDATE"] * (beats.KEPT + 1)
    assert [len(beats.read(one.beats)) for one in Component.objects.all()] == [beats.KEPT] * 2


@pytest.mark.django_db(transaction=True)
def test_a_beat_waits_for_nobody_whom_somebody_moves():
    session, mine = factories.session(), factories.lease()
    moved, free = [held(session, State.READY, mine, name) for name in ("moved", "free")]
    beat = partial(liveness.beat, lease_id=mine.pk, component_ids=[str(moved.pk), str(free.pk)])

    with database.atomic():
        Component.objects.locked(moved.pk)
        # SQLite has one writer at a time, who waits for no row.
        if connection.vendor == "postgresql":
            with threads.beside(beat) as noted:
                noted()
            assert heard() == {"free"}
    beat()

    assert heard() == {"moved", "free"}


def heard() -> set[str]:
    return set(Component.objects.exclude(last_heartbeat_at=None).values_list("name", flat=True))


def test_without_beats_nothing_is_written(django_assert_num_queries: Any):
    with django_assert_num_queries(0):
        liveness.beat(lease_id=uuid4(), component_ids=[])


# The job


class Clock:
    """The time of an event loop, in the hands of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)


@pytest.mark.django_db(transaction=True)
async def test_a_process_judges_nobody_before_it_settled(monkeypatch: pytest.MonkeyPatch):
    await run_db(held_by_nobody)
    clock, job, node = Clock(monkeypatch), Liveness(), Node(hub=Hub(), jobs=[])
    found = []
    for seconds in (0, 5, 5, 5, 5, 5, 5, 5, 5, 4.9, 0.1):
        clock.now += seconds
        await job.run(node)
        found.append(await run_db(lost))

    assert settings.ENVIRONMENT.settling_seconds == 45
    assert found == [0] * 10 + [1]


@pytest.mark.django_db(transaction=True)
async def test_a_process_that_stood_still_gives_everybody_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
):
    clock, job, node = Clock(monkeypatch), Liveness(), Node(hub=Hub(), jobs=[])
    await job.run(node)
    for _ in range(46):
        clock.now += 1
        await job.run(node)
    await run_db(held_by_nobody)
    found = []
    for seconds in (60, 5, 5, 4.9, 0.1):
        clock.now += seconds
        await job.run(node)
        found.append(await run_db(lost))

    assert found == [0, 0, 0, 0, 1]


def held_by_nobody() -> None:
    held(factories.session(), State.READY, None)


def lost() -> int:
    return Component.objects.filter(state="lost").count()
