from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from aegis_project.kit.errors import InvalidState
from components.core import beats
from components.core.errors import ComponentNotFound
from components.core.events import ComponentEvent
from components.core.lifecycle import State
from components.models import Component
from components.services import crowds, registry, standing
from components.services.registry import Expected
from sessions.models import Session
from sessions.services import lifecycle
from streaming.core.errors import ConnectionReplaced, PartnerLost
from tests import factories
from tests.factories import OPERATOR, fault

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTED = [State.REGISTERED, State.READY, State.RUNNING]
UNCONNECTED = [State.PENDING, State.STOPPED, State.FAILED, State.LOST]
ACTIONS: dict[str, dict[str, Any]] = {
    "identify": {},
    "ready": {},
    "report": {"fault": fault("X", "")},
}


@pytest.fixture
def session() -> Session:
    return factories.session()


def standing_in(session: Session, state: State, **fields: Any) -> Component:
    return Component.objects.create(
        session=session, name="feed", state=state.value, fence=3, **fields
    )


def own(component: Component, **changes: Any) -> dict[str, Any]:
    return {"component_id": str(component.pk), "fence": component.fence} | changes


def last(session: Session) -> tuple[str, dict[str, Any]]:
    type_, data = factories.told(session)[-1]
    return type_, {name: value for name, value in data.items() if name != "component_id"}


def signs(component: Component) -> list[str]:
    return [beat.sign for beat in beats.read(Component.objects.get(pk=component.pk).beats)]


# Fences


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("fence", [2, 4])
def test_another_registration_may_do_nothing(session: Session, action: str, fence: int):
    component = standing_in(session, State.REGISTERED)
    before = Component.objects.filter(pk=component.pk).values().get()

    with pytest.raises(ConnectionReplaced):
        getattr(standing, action)(**own(component, fence=fence), **ACTIONS[action])

    assert Component.objects.filter(pk=component.pk).values().get() == before


def test_what_ends_with_another_registration_is_no_news(session: Session):
    component = standing_in(session, State.RUNNING, is_data_connected=True)
    before = Component.objects.filter(pk=component.pk).values().get()

    assert not standing.detach_data(**own(component, fence=2))
    assert not standing.lose(**own(component, fence=2), reason="silent")
    assert not standing.finish(**own(component, fence=2))
    standing.note_late(**own(component, fence=2), is_late=True)

    assert Component.objects.filter(pk=component.pk).values().get() == before
    assert factories.events(session) == ["session.created"]


# The data socket


@pytest.mark.parametrize("state", CONNECTED)
def test_a_connected_component_is_identified_by_its_data_socket(session: Session, state: State):
    component = standing_in(session, state)

    standing.identify(**own(component))

    component.refresh_from_db()
    assert (component.state, component.is_data_connected) == (state, True)
    assert component.identified_at is not None


@pytest.mark.parametrize("state", UNCONNECTED)
def test_without_a_control_socket_there_is_no_data_socket(session: Session, state: State):
    component = standing_in(session, state)

    with pytest.raises(PartnerLost):
        standing.identify(**own(component))


def test_the_first_topics_of_a_registration_are_noted_once(session: Session):
    component = factories.joined(session, "feed")

    place, now = (str(component.pk), component.fence), timezone.now()
    crowds.note_topics({place: now})
    crowds.note_topics({place: now + timedelta(seconds=1)})
    noted = Component.objects.get(pk=component.pk).subscribed_at
    again = factories.joined(session, "feed")
    crowds.note_topics({place: now})

    again.refresh_from_db()
    assert (noted, again.subscribed_at) == (now, None)


def test_ready_writes_when_there_were_topics_unless_that_is_written(session: Session):
    one, two, three = (factories.joined(session, name) for name in ("one", "two", "three"))
    early, late = timezone.now() - timedelta(seconds=9), timezone.now()
    crowds.note_topics({(str(one.pk), one.fence): early})

    refused = crowds.ready(
        [
            (str(one.pk), one.fence, late),
            (str(two.pk), two.fence, late),
            (str(three.pk), three.fence, None),
        ]
    )

    rows = Component.objects.order_by("created_at").values_list("subscribed_at", flat=True)
    assert refused == [None, None, None]
    assert list(rows) == [early, late, None]


def test_a_lost_data_socket_leaves_state_and_ready_as_they_were(session: Session):
    component = factories.readied(session, "feed")

    assert standing.detach_data(**own(component))
    assert not standing.detach_data(**own(component))

    component.refresh_from_db()
    assert (component.state, component.is_data_connected) == ("ready", False)
    assert component.ready_at is not None


# READY


def test_ready_is_told_once_however_often_it_is_said(session: Session):
    component = factories.joined(session, "feed")

    standing.ready(**own(component))
    first = Component.objects.get(pk=component.pk).ready_at
    standing.ready(**own(component))

    component.refresh_from_db()
    assert (component.state, component.ready_at) == ("ready", first)
    assert factories.events(session).count("component.ready") == 1


def test_ready_of_a_running_component_leaves_it_running(session: Session):
    component = standing_in(session, State.RUNNING)

    assert standing.ready(**own(component)).state == "running"


def test_ready_ends_the_grace_and_forgets_the_error(session: Session):
    component = factories.joined(session, "feed")
    standing.lose(**own(component), reason="silent")
    again = factories.joined(session, "feed")
    assert again.lost_at is not None

    standing.ready(**own(again))

    found = Component.objects.get(pk=again.pk)
    assert (found.lost_at, found.error) == (None, "")


@pytest.mark.parametrize("state", UNCONNECTED)
def test_ready_needs_a_registration(session: Session, state: State):
    component = standing_in(session, state)

    with pytest.raises(InvalidState):
        standing.ready(**own(component))


# Losing


@pytest.mark.parametrize("state", CONNECTED)
def test_a_connected_component_is_lost(session: Session, state: State):
    component = standing_in(
        session, state, lease=factories.lease(), is_data_connected=True, is_late=True
    )

    assert standing.lose(**own(component), reason="control_socket_lost")

    component.refresh_from_db()
    assert (component.state, component.lease, component.is_data_connected, component.is_late) == (
        "lost",
        None,
        False,
        False,
    )
    assert (component.lost_at is not None, component.error) == (True, "control_socket_lost")
    assert last(session) == ("component.lost", {"name": "feed", "reason": "control_socket_lost"})


@pytest.mark.parametrize("state", UNCONNECTED)
def test_who_is_not_connected_cannot_be_lost(session: Session, state: State):
    component = standing_in(session, state)

    assert not standing.lose(**own(component), reason="silent")
    assert factories.events(session) == ["session.created"]


def test_a_silent_component_is_told_as_a_lost_heartbeat_too(session: Session):
    component = factories.readied(session, "feed")

    standing.lose(**own(component), reason="silent")

    assert [
        (type_, data.get("seconds"), data.get("reason"))
        for type_, data in factories.told(session)[-2:]
    ] == [("heartbeat.lost", 15.0, None), ("component.lost", None, "silent")]


def test_the_grace_counts_from_the_first_loss(session: Session):
    component = factories.readied(session, "feed")
    standing.lose(**own(component), reason="silent")
    first = Component.objects.get(pk=component.pk).lost_at
    again = factories.joined(session, "feed")

    standing.lose(**own(again), reason="silent")

    assert Component.objects.get(pk=component.pk).lost_at == first


def test_a_loss_is_a_mark_of_its_heartbeat_whether_alone_or_in_a_crowd(session: Session):
    one = standing_in(session, State.READY)
    two, three = [factories.readied(session, name) for name in ("two", "three")]

    standing.lose(**own(one), reason="silent")
    crowds.lose([(str(row.pk), row.fence, "control_socket_lost") for row in (two, three)])

    assert [signs(row) for row in (one, two, three)] == [["x"], ["c", "x"], ["c", "x"]]


# Late


def test_a_late_component_is_told_once_and_on_time_again_quietly(session: Session):
    component = factories.readied(session, "feed")
    marks = []
    for is_late in (True, True, False, False):
        standing.note_late(**own(component), is_late=is_late)
        component.refresh_from_db()
        marks.append(component.is_late)

    assert marks == [True, True, False, False]
    assert signs(component) == ["c", "l", "h"]
    assert factories.events(session).count("heartbeat.late") == 1
    assert component.state == "ready"


# Faults and ends


def test_a_passing_fault_is_told_and_moves_nothing(session: Session):
    component = factories.readied(session, "feed")

    assert not standing.report(**own(component), fault=fault("SLOW", "Behind.", temporary=True))

    component.refresh_from_db()
    assert (component.state, component.error) == ("ready", "Behind.")
    assert last(session) == (
        "component.reported",
        {"name": "feed", "code": "SLOW", "message": "Behind.", "reason": "Behind."},
    )


def test_a_fault_that_does_not_pass_fails_the_component(session: Session):
    component = factories.readied(session, "feed")

    assert standing.report(**own(component), fault=fault("NO_DATA", ""))

    component.refresh_from_db()
    assert (component.state, component.error) == ("failed", "NO_DATA")
    assert last(session) == (
        "component.failed",
        {"name": "feed", "code": "NO_DATA", "message": "", "reason": "NO_DATA"},
    )


@pytest.mark.parametrize("state", [one for one in State if one is not State.STOPPED])
def test_a_component_that_finished_is_stopped(session: Session, state: State):
    component = standing_in(session, state, lease=factories.lease(), is_data_connected=True)

    assert standing.finish(**own(component))

    component.refresh_from_db()
    assert (component.state, component.lease, component.is_data_connected) == (
        "stopped",
        None,
        False,
    )
    assert last(session) == ("component.stopped", {"name": "feed", "reason": "finished"})


def test_a_component_that_was_released_does_not_finish_again(session: Session):
    component = factories.readied(session, "feed")
    lifecycle.start(principal=OPERATOR, session=session)
    lifecycle.stop(principal=OPERATOR, session=session)
    before = factories.events(session)

    assert not standing.finish(**own(component))
    assert factories.events(session) == before


# Moves of a whole session


@pytest.mark.parametrize(
    ("move", "moved"),
    [
        (standing.run_ready, {"ready": "running"}),
        (standing.hold_running, {"running": "ready"}),
        (standing.release, {state.value: "stopped" for state in State}),
    ],
)
def test_a_move_takes_those_whom_it_concerns(
    session: Session, move: Callable[..., list[Component]], moved: dict[str, str]
):
    for state in State:
        Component.objects.create(session=session, name=state.value, state=state.value)
    other = factories.session(expected=[Expected(name="ready")])

    found = move(session_id=session.pk, actor="system:test")

    expected = {state.value: moved.get(state.value, state.value) for state in State}
    assert factories.states(session) == expected
    changed = [name for name, state in expected.items() if name != state]
    assert sorted(one.name for one in found) == sorted(changed)
    assert len(factories.events(session)) == 1 + len(changed)
    assert factories.states(other) == {"ready": "pending"}


def test_a_released_component_may_register_again(session: Session):
    component = factories.readied(session, "feed")
    standing.release(session_id=session.pk, actor="system:test")

    again = factories.readied(session, "feed")

    assert (again.pk, again.state, again.fence) == (component.pk, "ready", component.fence + 1)
    assert (again.stopped_at, again.lost_at) == (None, None)


def test_a_failed_component_begins_its_next_life_without_a_grace(session: Session):
    component = factories.readied(session, "feed")
    standing.lose(**own(component), reason="silent")
    Component.objects.filter(pk=component.pk).update(state="failed")

    again = factories.joined(session, "feed")

    assert (again.state, again.lost_at) == ("registered", None)


def test_registering_again_after_a_loss_keeps_the_grace(session: Session):
    component = factories.readied(session, "feed")
    standing.lose(**own(component), reason="silent")

    again = registry.register(
        principal=factories.bearer(session),
        registration=factories.registration(name="feed"),
        lease_id=None,
    )

    assert again.lost_at is not None


# Many at once


def test_those_who_are_ready_together_are_judged_alone_and_settled_once(
    django_capture_on_commit_callbacks,
):
    session, other = factories.session(), factories.session()
    lifecycle.start(principal=OPERATOR, session=session)
    came = [
        Component.objects.create(session=session, name=name, state="registered", fence=3)
        for name in "abc"
    ]
    away = Component.objects.create(session=session, name="d", state="stopped", fence=3)
    apart = Component.objects.create(
        session=other, name="e", state="lost", fence=3, lost_at=LONG_AGO, error="silent"
    )
    apart.state = "registered"
    apart.save()
    nobody = str(uuid4())
    places = [(str(one.pk), 3, None) for one in (*came, away, apart)]

    with django_capture_on_commit_callbacks(execute=True):
        refusals = crowds.ready([*places, (str(came[0].pk), 2, None), (nobody, 1, None)])

    assert [type(one) for one in refusals] == [
        *[NoneType] * 3,
        InvalidState,
        NoneType,
        ConnectionReplaced,
        ComponentNotFound,
    ]
    assert factories.states(session) == dict.fromkeys("abc", "running") | {"d": "stopped"}
    apart.refresh_from_db()
    assert (apart.state, apart.lost_at, apart.error) == ("ready", None, "")
    assert apart.ready_at is not None
    assert factories.events(session)[-6:] == ["component.ready"] * 3 + ["component.running"] * 3
    assert [one.actor for one in factories.ledger(session)[-6:-3]] == [
        f"component:{name}" for name in "abc"
    ]
    assert factories.events(other)[-1] == "component.ready"


def test_components_are_lost_together_by_reason_and_silence_is_told_of_each():
    session = factories.session()
    gone = [
        Component.objects.create(session=session, name=name, state="running", fence=3)
        for name in "abc"
    ]
    reasons = ["cut", "cut", standing.SILENT]

    refusals = crowds.lose([(str(one.pk), 3, why) for one, why in zip(gone, reasons, strict=True)])

    assert refusals == [None] * 3
    assert factories.states(session) == dict.fromkeys("abc", "lost")
    told = [(type_, data["name"]) for type_, data in factories.told(session)[1:]]
    silent = (ComponentEvent.HEARTBEAT_LOST.value, "c")
    assert sorted(told) == sorted([silent, *[("component.lost", name) for name in "abc"]])


def test_components_that_are_sent_away_are_lost_together_session_by_session():
    sessions = [factories.session() for _ in range(2)]
    gone = [
        standing_in(sessions[0], State.RUNNING, is_data_connected=True),
        standing_in(sessions[1], State.READY, lost_at=LONG_AGO),
    ]
    stopped = Component.objects.create(session=sessions[1], name="b", state="stopped", fence=3)
    newer = Component.objects.create(session=sessions[1], name="c", state="ready", fence=4)
    held = {str(one.pk): 3 for one in (*gone, stopped, newer)}

    crowds.lose_together(held=held, reason="draining")

    rows = {row.pk: row for row in Component.objects.all()}
    lost = [rows[one.pk] for one in gone]
    assert [(one.state, one.error, one.is_data_connected) for one in lost] == [
        ("lost", "draining", False)
    ] * 2
    assert lost[0].lost_at is not None
    assert lost[1].lost_at == LONG_AGO
    assert (rows[stopped.pk].state, rows[newer.pk].state) == ("stopped", "ready")
    assert [last(one) for one in sessions] == [
        ("component.lost", {"name": "feed", "reason": "draining"})
    ] * 2
