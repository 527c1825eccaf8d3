from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from components.models import Component
from components.services import standing
from components.services.registry import Expected
from sessions.core.lifecycle import Mode, State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import lifecycle
from sessions.services.outcome import Outcome
from tests import factories, tables
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FEED = Expected(name="feed")
SINK = Expected(name="sink")
OPTIONAL = Expected(name="watcher", required=False)
STARTABLE = [State.CREATED, State.PAUSED, State.STOPPED, State.FAILED]
WITHDRAWING = ["stop", "pause", "fail", "complete", "end", "delete"]

Capture = Callable[..., Any]


def start(session: Session) -> Outcome:
    return lifecycle.start(principal=OPERATOR, session=session)


def waiting_in(state: State) -> Session:
    """A session that was brought to this state and waits for its feed to start again."""
    session = factories.session_in(state)
    Component.objects.create(session=session, name="feed", required=True)
    assert start(session).is_pending
    session.refresh_from_db()
    return session


def conditions(session: Session) -> list[str]:
    session.refresh_from_db()
    return [word.value for word in sessions.view(session, now=timezone.now()).conditions]


# Asking


def test_a_start_waits_for_the_required_and_says_for_whom_and_how_long():
    session = factories.session(expected=[FEED, OPTIONAL, SINK])
    with time_machine.travel(NOON, tick=False):
        outcome = start(session)

    session.refresh_from_db()
    assert (outcome.is_pending, outcome.is_changed) == (True, False)
    assert (session.state, session.activation, session.started_at) == ("created", 0, None)
    assert session.start_requested_at == NOON
    assert session.start_deadline_at == NOON + timedelta(seconds=30)
    assert factories.told(session)[-1] == (
        "session.start_requested",
        {"missing": ["feed", "sink"], "deadline_at": "2026-01-01T12:00:30Z"},
    )
    assert conditions(session) == ["starting"]


def test_a_pending_start_is_no_move_and_no_edit():
    session = factories.session(expected=[FEED])

    start(session)
    requested = Session.objects.get(pk=session.pk).version
    lifecycle.stop(principal=OPERATOR, session=session)
    withdrawn = Session.objects.get(pk=session.pk).version

    assert (requested, withdrawn) == (session.version, session.version)


def test_a_second_start_joins_the_first():
    session = waiting_in(State.CREATED)
    row = Session.objects.filter(pk=session.pk).values().get()
    before = factories.events(session)

    outcome = start(session)

    assert outcome.is_pending
    assert Session.objects.filter(pk=session.pk).values().get() == row
    assert factories.events(session) == before


def test_without_required_components_a_session_runs_at_once():
    session = factories.session(expected=[OPTIONAL])

    outcome = start(session)

    assert (outcome.is_pending, outcome.session.state) == (False, State.RUNNING)
    assert factories.states(session) == {"watcher": "pending"}


def test_with_every_required_component_ready_a_session_runs_at_once():
    session = factories.session(expected=[FEED, OPTIONAL])
    factories.readied(session, "feed")
    factories.readied(session, "extra")

    outcome = start(session)

    assert outcome.session.state == State.RUNNING
    assert factories.states(session) == {
        "feed": "running",
        "watcher": "pending",
        "extra": "running",
    }


def test_a_required_component_that_is_only_registered_is_missing():
    session = factories.session(expected=[FEED])
    factories.joined(session, "feed")

    assert start(session).is_pending


# Settling


def test_ready_of_the_last_required_component_runs_the_session(
    django_capture_on_commit_callbacks: Capture,
):
    session = factories.session(expected=[FEED, SINK, OPTIONAL])
    start(session)
    with django_capture_on_commit_callbacks(execute=True):
        factories.readied(session, "sink")
    first = factories.states(session)
    with django_capture_on_commit_callbacks(execute=True):
        factories.readied(session, "feed")

    session.refresh_from_db()
    assert first == {"feed": "pending", "sink": "ready", "watcher": "pending"}
    assert factories.states(session) == {
        "feed": "running",
        "sink": "running",
        "watcher": "pending",
    }
    assert (session.state, session.activation) == ("running", 1)
    assert (session.start_requested_at, session.start_deadline_at) == (None, None)
    assert factories.events(session)[-4:] == [
        "component.ready",
        "component.running",
        "component.running",
        "session.activated",
    ]


@pytest.mark.parametrize("state", STARTABLE)
def test_a_settled_start_tells_where_it_came_from(state: State):
    session = waiting_in(state)
    factories.readied(session, "feed")

    assert lifecycle.settle(session_id=session.pk)

    session.refresh_from_db()
    event = factories.told(session)[-1]
    assert event == (
        "session.activated",
        {"from": state.value, "activation": session.activation},
    )


def test_settling_twice_changes_nothing_the_second_time():
    session = waiting_in(State.CREATED)
    factories.readied(session, "feed")

    assert lifecycle.settle(session_id=session.pk)
    before = factories.events(session)

    assert not lifecycle.settle(session_id=session.pk)
    assert factories.events(session) == before


def test_a_component_that_becomes_ready_later_runs_at_once(
    django_capture_on_commit_callbacks: Capture,
):
    session = factories.session_in(State.RUNNING)

    with django_capture_on_commit_callbacks(execute=True):
        factories.readied(session, "late")

    assert factories.states(session) == {"late": "running"}
    assert factories.events(session)[-2:] == ["component.ready", "component.running"]


@pytest.mark.parametrize("state", [State.CREATED, State.PAUSED, State.STOPPED, State.FAILED])
def test_ready_alone_runs_nothing(state: State, django_capture_on_commit_callbacks: Capture):
    session = factories.session_in(state)

    with django_capture_on_commit_callbacks(execute=True):
        factories.readied(session, "eager")

    session.refresh_from_db()
    assert (session.state, factories.states(session)) == (state, {"eager": "ready"})


def test_settling_what_is_not_there_or_at_rest_moves_nothing():
    gone = factories.session()
    lifecycle.delete(principal=OPERATOR, session=gone)
    resting = factories.session_in(State.PAUSED)

    assert not lifecycle.settle(session_id=gone.pk)
    assert not lifecycle.settle(session_id=resting.pk)


# The deadline


def test_a_start_is_left_alone_until_its_deadline():
    with time_machine.travel(NOON, tick=False) as clock:
        session = waiting_in(State.CREATED)
        clock.shift(29.9)

        assert not lifecycle.settle(session_id=session.pk)

    session.refresh_from_db()
    assert session.state == State.CREATED


@pytest.mark.parametrize("state", STARTABLE)
def test_at_its_deadline_a_start_fails_and_says_who_is_missing(state: State):
    with time_machine.travel(NOON, tick=False) as clock:
        session = waiting_in(state)
        before = factories.events(session)
        clock.shift(30)

        assert lifecycle.settle(session_id=session.pk)
        assert not lifecycle.settle(session_id=session.pk)

    session.refresh_from_db()
    error = {
        "code": "START_TIMEOUT",
        "message": "Not ready in time: feed.",
        "details": {"missing": ["feed"]},
    }
    assert (session.state, session.error, session.reason) == (
        "failed",
        error,
        "Not ready in time: feed.",
    )
    assert (session.start_requested_at, session.start_deadline_at) == (None, None)
    assert factories.told(session)[len(before) :] == [
        ("error.occurred", error),
        (
            "session.suspended",
            {"state": "failed", "from": state.value, "reason": "Not ready in time: feed."},
        ),
    ]


def test_a_ready_that_comes_with_the_deadline_still_counts():
    with time_machine.travel(NOON, tick=False) as clock:
        session = waiting_in(State.CREATED)
        factories.readied(session, "feed")
        clock.shift(31)

        lifecycle.settle(session_id=session.pk)

    session.refresh_from_db()
    assert session.state == State.RUNNING


# Withdrawing


@pytest.mark.parametrize("command", WITHDRAWING)
@pytest.mark.parametrize("state", STARTABLE)
def test_a_pending_start_is_withdrawn_and_then_the_command_does_what_it_does(
    state: State, command: str
):
    session = waiting_in(state)
    before = factories.events(session)
    arguments = {"error": {"code": "X"}} if command == "fail" else {}

    outcome = getattr(lifecycle, command)(principal=OPERATOR, session=session, **arguments)

    row = Session.objects.get(pk=session.pk)
    expected = tables.target("end" if command == "delete" else command, state) or state
    assert (outcome.previous, outcome.is_pending, row.state) == (state, False, expected)
    assert (row.start_requested_at, row.start_deadline_at) == (None, None)
    assert factories.told(session)[len(before)] == ("session.start_withdrawn", {"by": command})
    if expected is state:
        assert len(factories.events(session)) == len(before) + 1


def test_after_a_withdrawal_ready_runs_nothing(django_capture_on_commit_callbacks: Capture):
    session = waiting_in(State.CREATED)
    lifecycle.stop(principal=OPERATOR, session=session)

    with django_capture_on_commit_callbacks(execute=True):
        factories.readied(session, "feed")

    session.refresh_from_db()
    assert (session.state, factories.states(session)) == ("created", {"feed": "ready"})


def test_a_start_after_a_withdrawal_has_a_new_deadline():
    with time_machine.travel(NOON, tick=False) as clock:
        session = waiting_in(State.CREATED)
        lifecycle.pause(principal=OPERATOR, session=session)
        clock.shift(20)
        start(session)

    session.refresh_from_db()
    assert session.start_deadline_at == NOON + timedelta(seconds=50)


# What a move does to the components


def running_with_three() -> Session:
    session = factories.session(expected=[FEED, OPTIONAL])
    factories.readied(session, "feed")
    factories.joined(session, "registered")
    start(session)
    return session


def test_pause_holds_who_runs_and_start_lets_them_go_on():
    session = running_with_three()
    lifecycle.pause(principal=OPERATOR, session=session)
    held = factories.states(session)
    start(session)

    assert held == {"feed": "ready", "watcher": "pending", "registered": "registered"}
    assert factories.states(session) == {
        "feed": "running",
        "watcher": "pending",
        "registered": "registered",
    }
    assert factories.events(session)[-4:] == [
        "component.held",
        "session.suspended",
        "component.running",
        "session.activated",
    ]


def test_fail_holds_who_runs_and_otherwise_leaves_components_as_found():
    session = running_with_three()

    lifecycle.fail(principal=OPERATOR, session=session, error={"code": "X"})

    assert factories.states(session) == {
        "feed": "ready",
        "watcher": "pending",
        "registered": "registered",
    }


@pytest.mark.parametrize("command", ["stop", "complete", "end", "delete"])
def test_stop_and_every_close_release_everybody(command: str):
    session = running_with_three()

    getattr(lifecycle, command)(principal=OPERATOR, session=session)

    assert factories.states(session) == dict.fromkeys(("feed", "watcher", "registered"), "stopped")
    assert factories.events(session)[-4:-1] == ["component.stopped"] * 3
    assert not Component.objects.filter(session=session).exclude(lease=None).exists()


def test_a_start_from_stopped_needs_register_and_ready_again():
    session = running_with_three()
    lifecycle.stop(principal=OPERATOR, session=session)

    outcome = start(session)

    assert outcome.is_pending
    factories.readied(session, "feed")
    assert lifecycle.settle(session_id=session.pk)


@pytest.mark.parametrize("command", ["start", "pause", "stop", "end"])
def test_a_move_of_many_components_takes_as_many_queries_as_one_of_one(command: str):
    counts = []
    for size in (1, 3):
        session = factories.session()
        for _ in range(size):
            factories.readied(session)
        if command != "start":
            start(session)
        with CaptureQueriesContext(connection) as queries:
            getattr(lifecycle, command)(principal=OPERATOR, session=session)
        counts.append(len(queries))

    assert counts[0] == counts[1]


# Losing somebody


def lose(component: Component) -> None:
    component.refresh_from_db()
    assert standing.lose(
        component_id=str(component.pk), fence=component.fence, reason="control_socket_lost"
    )


def test_a_lost_participant_degrades_a_running_session_and_never_moves_it():
    session = running_with_three()
    lose(Component.objects.get(name="feed"))

    assert not lifecycle.settle(session_id=session.pk)
    assert conditions(session) == ["degraded"]
    assert session.state == State.RUNNING


def test_a_required_component_that_failed_fails_the_running_session(
    django_capture_on_commit_callbacks: Capture,
):
    session = running_with_three()
    feed = Component.objects.get(name="feed")
    fault = factories.fault("NO_DATA", "The exchange is closed.")

    with django_capture_on_commit_callbacks(execute=True):
        standing.report(component_id=str(feed.pk), fence=feed.fence, fault=fault)

    session.refresh_from_db()
    assert (session.state, session.error) == (
        "failed",
        {
            "code": "COMPONENT_LOST",
            "message": "Required and lost: feed.",
            "details": {"components": ["feed"]},
        },
    )


def test_an_optional_component_that_failed_leaves_the_session_running(
    django_capture_on_commit_callbacks: Capture,
):
    session = running_with_three()
    extra = factories.readied(session, "extra")

    with django_capture_on_commit_callbacks(execute=True):
        standing.report(
            component_id=str(extra.pk), fence=extra.fence, fault=factories.fault("X", "")
        )

    session.refresh_from_db()
    assert (session.state, conditions(session)) == ("running", ["degraded"])


def test_a_component_that_came_back_runs_again(django_capture_on_commit_callbacks: Capture):
    session = running_with_three()
    lose(Component.objects.get(name="feed"))

    with django_capture_on_commit_callbacks(execute=True):
        factories.readied(session, "feed")

    assert factories.states(session)["feed"] == "running"
    assert conditions(session) == []


def test_a_starting_session_is_degraded_by_a_lost_component():
    session = waiting_in(State.CREATED)
    lose(factories.joined(session, "feed"))

    assert conditions(session) == ["degraded", "starting"]


def test_a_session_without_work_for_long_is_stale():
    with time_machine.travel(NOON, tick=False) as clock:
        session = factories.session(config={"idle_minutes": 10})
        clock.shift(timedelta(minutes=10, seconds=1))

        assert conditions(session) == ["stale"]


def test_a_running_historical_session_replays():
    session = factories.session(mode=Mode.HISTORICAL)
    start(session)

    assert conditions(session) == ["replaying"]
