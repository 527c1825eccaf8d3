"""The commands for clocks: what they order, whom they refuse, and what drivers find of them."""

from typing import Any

import pytest

from aegis_project.kit.errors import InvalidState, PermissionDenied, ValidationFailed
from components.models import Component
from components.services import standing
from components.services.registry import Expected
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import Mode, State
from sessions.models import Replay, Session
from sessions.selectors import clocks as clock_rows
from sessions.services import clocks, creation, driving, lifecycle, replays
from streaming.core.errors import TopicNotFound
from streaming.models import AuditEntry, Log
from tests import archive, factories
from tests.archive import DAY_MS, trade
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

TRADES = "trades.BTCUSDT"
LEASED = {"n": 5, "clock": DAY_MS, "checkpoint": {}, "bad_rows": 0, "steps": None}


@pytest.fixture(autouse=True)
def dataset(tmp_path, settings):
    archive.write(tmp_path, TRADES, [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}
    return tmp_path


def historical(state=State.RUNNING, *, expected=(), **source: Any) -> Session:
    """A session with a source, in this state."""
    config = {"source": {"dataset": "data", **source}}
    session = factories.session(mode=Mode.HISTORICAL, config=config, expected=expected)
    for verb in PATHS[state]:
        getattr(lifecycle, verb)(principal=OPERATOR, session=session)
    session.refresh_from_db()
    return session


PATHS = {
    State.CREATED: [],
    State.RUNNING: ["start"],
    State.PAUSED: ["start", "pause"],
    State.STOPPED: ["start", "stop"],
    State.COMPLETED: ["start", "complete"],
    State.ENDED: ["end"],
}


def clock_of(session: Session) -> Replay:
    return Replay.objects.get(session=session)


def order(verb: str, session: Session, **given: Any) -> clocks.Ordered:
    defaults: dict[str, dict[str, Any]] = {
        "seek": {"to": DAY_MS + 4},
        "set_speed": {"speed": 2.0},
        "step": {"count": 3},
    }
    service = getattr(clocks, verb)
    done: clocks.Ordered = service(
        principal=OPERATOR, session=session, **{**defaults[verb], **given}
    )
    return done


def claimed(session: Session) -> driving.Claimed:
    found = driving.claim(replay_id=clock_of(session).pk, lease_id=factories.lease().pk)
    assert found is not None
    return found


# Where they are legal


LEGAL = {
    "seek": {State.RUNNING, State.PAUSED, State.STOPPED},
    "step": {State.PAUSED},
    "set_speed": {State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED},
}
CELLS = [(verb, state) for verb in LEGAL for state in PATHS]


@pytest.mark.parametrize(("verb", "state"), CELLS)
def test_command_is_legal_in_its_states_and_names_what_is_where_it_is_not(verb, state):
    session = historical(state)
    before = factories.events(session)

    if state in LEGAL[verb]:
        order(verb, session)
        return
    with pytest.raises(InvalidState) as refusal:
        order(verb, session)

    assert refusal.value.details["from"] == state
    assert refusal.value.details["allowed"] == session.legal()
    assert factories.events(session) == before
    entry = AuditEntry.objects.latest("pk")
    assert (entry.command.split(".")[0], entry.outcome) == ("session", "refused")


@pytest.mark.parametrize("verb", LEGAL)
def test_session_without_a_source_has_no_clock(verb):
    session = factories.session_in(State.PAUSED)

    with pytest.raises(InvalidState, match="no clock"):
        order(verb, session)


@pytest.mark.parametrize("verb", LEGAL)
def test_only_who_may_control_the_session_orders_its_clock(verb):
    session = historical(State.PAUSED)
    viewer = factories.member(session.team, scopes=["sessions:read"])
    stranger = factories.member(factories.team("others"))
    given = {"seek": {"to": DAY_MS}, "step": {}, "set_speed": {"speed": 1}}[verb]

    with pytest.raises(PermissionDenied):
        getattr(clocks, verb)(principal=viewer, session=session, **given)
    with pytest.raises(SessionNotFound):
        getattr(clocks, verb)(principal=stranger, session=session, **given)


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("seek", {"to": DAY_MS - 1}),
        ("seek", {"to": DAY_MS + 8}),
        ("seek", {"to": "yesterday"}),
        ("step", {"count": 0}),
        ("step", {"count": 1_000_001}),
        ("set_speed", {"speed": 0.1}),
        ("set_speed", {"speed": 101}),
    ],
)
def test_what_cannot_be_is_refused(verb, given):
    session = historical(State.PAUSED, **{"from": DAY_MS, "to": DAY_MS + 7})
    before = Replay.objects.filter(session=session).values().get()

    with pytest.raises(ValidationFailed):
        order(verb, session, **given)

    assert Replay.objects.filter(session=session).values().get() == before


# Speed


def test_speed_is_what_the_next_turn_of_the_driver_finds_and_what_the_session_shows():
    session = historical(speed=1)
    held = claimed(session)

    order("set_speed", session, speed=50)

    session.refresh_from_db()
    due = clock_rows.due()[held.replay_id]
    # The same driver goes on with it.
    assert (due.speed, due.fence) == (50, held.fence)
    assert session.config["source"]["speed"] == 50
    assert factories.told(session)[-1] == ("session.updated", {"fields": ["config"]})


def test_speed_that_it_has_changes_nothing():
    session = historical(speed=2)
    before = factories.events(session), session.version

    order("set_speed", session, speed=2)

    session.refresh_from_db()
    assert (factories.events(session), session.version) == before


# Steps


def test_step_runs_the_session_until_its_ticks_are_gone():
    session = historical(State.PAUSED)

    order("step", session, count=3)

    session.refresh_from_db()
    assert (session.state, session.activation) == ("running", 1)
    assert claimed(session).steps == 3


def test_step_waits_for_required_components_as_any_start():
    session = historical(State.PAUSED)
    # Whoever is declared meanwhile is counted on.
    creation.attach(principal=OPERATOR, session=session, expected=[Expected(name="late")])

    order("step", session)

    session.refresh_from_db()
    assert (session.state, session.is_starting) == ("paused", True)
    assert clock_of(session).steps == 3


def test_start_of_a_session_that_steps_lets_it_run_on():
    session = historical(State.PAUSED)
    order("step", session)
    held = claimed(session)

    lifecycle.start(principal=OPERATOR, session=session)

    assert clock_of(session).steps is None
    # The driver that counts the steps is driver no more.
    assert not driving.save(replay_id=held.replay_id, fence=held.fence, **LEASED)


# Seek


@pytest.mark.parametrize("state", sorted(LEGAL["seek"]))
def test_seek_is_due_in_every_state_in_which_it_is_legal(state):
    session = historical(state)

    order("seek", session, to="2024-08-08T00:00:00.004Z")

    found = claimed(session)
    assert (found.seek_to, found.is_running) == (DAY_MS + 4, state is State.RUNNING)


def test_driver_can_save_no_more_once_the_clock_is_to_be_set():
    session = historical()
    held = claimed(session)

    order("seek", session)

    assert not driving.save(replay_id=held.replay_id, fence=held.fence, **LEASED)
    assert clock_rows.due()[held.replay_id].fence != held.fence


def test_seek_of_a_session_that_was_closed_meanwhile_is_not_due():
    session = historical()
    order("seek", session)

    lifecycle.end(principal=OPERATOR, session=session)

    assert clock_rows.due() == {}


# Restart


def epochs(session: Session) -> dict[str, str]:
    return dict(Log.objects.filter(session=session, name=TRADES).values_list("name", "epoch"))


def test_restart_lets_the_source_begin_anew():
    session = historical()
    held = claimed(session)
    driving.save(replay_id=held.replay_id, fence=held.fence, **LEASED)
    before = epochs(session)

    done = lifecycle.restart(principal=OPERATOR, session=session, reason="again")

    session.refresh_from_db()
    clock = clock_of(session)
    assert (done.previous, session.state, session.activation) == ("running", "running", 2)
    assert (clock.n, clock.clock, clock.base, clock.generation) == (0, None, {}, 1)
    assert epochs(session).keys() == before.keys()
    assert epochs(session) != before
    assert not driving.save(replay_id=held.replay_id, fence=held.fence, **LEASED)
    told = {"from": "running", "activation": 2}
    assert factories.told(session)[-1] == ("session.activated", told)


def test_restart_may_change_either_end_of_the_range():
    session = historical(**{"from": DAY_MS, "to": DAY_MS + 7})

    lifecycle.restart(principal=OPERATOR, session=session, from_=DAY_MS + 2)
    first = clock_of(session).range_from, clock_of(session).range_to
    lifecycle.restart(principal=OPERATOR, session=session, from_=0, to="2024-08-08T00:00:00.005Z")

    session.refresh_from_db()
    assert first == (DAY_MS + 2, DAY_MS + 7)
    assert (clock_of(session).range_from, clock_of(session).range_to) == (0, DAY_MS + 5)
    source = session.config["source"]
    assert (source["from"], source["to"]) == (0, "2024-08-08T00:00:00.005Z")


@pytest.mark.parametrize(
    "ends", [{"from_": DAY_MS + 9, "to": DAY_MS}, {"to": "soon"}], ids=["turned", "nonsense"]
)
def test_restart_over_a_range_that_cannot_be_changes_nothing(ends):
    session = historical()
    before = Replay.objects.filter(session=session).values().get(), epochs(session)

    with pytest.raises(ValidationFailed):
        lifecycle.restart(principal=OPERATOR, session=session, **ends)

    assert (Replay.objects.filter(session=session).values().get(), epochs(session)) == before


def test_restart_without_its_files_is_refused(dataset):
    session = historical()
    (dataset / "BTCUSDT" / "trades" / "BTCUSDT-trades-2024-08-08.csv").unlink()

    with pytest.raises(TopicNotFound):
        lifecycle.restart(principal=OPERATOR, session=session)

    session.refresh_from_db()
    assert (session.state, session.activation) == ("running", 1)


def test_replay_that_was_completed_can_be_restarted_and_a_realtime_session_cannot():
    session = historical(State.COMPLETED)
    clock = clock_of(session)
    Replay.objects.filter(pk=clock.pk).update(is_exhausted=True)
    other = factories.session_in(State.COMPLETED)

    lifecycle.restart(principal=OPERATOR, session=session)
    with pytest.raises(InvalidState):
        lifecycle.restart(principal=OPERATOR, session=other)

    session.refresh_from_db()
    assert (session.state, session.result, session.stopped_at) == ("running", None, None)
    assert clock.pk in clock_rows.due()


def test_session_without_a_source_has_no_range():
    session = factories.session_in(State.RUNNING)

    with pytest.raises(ValidationFailed):
        lifecycle.restart(principal=OPERATOR, session=session, from_=1)


@pytest.mark.parametrize(
    ("state", "waits_in"),
    [
        (State.RUNNING, "paused"),
        (State.PAUSED, "paused"),
        (State.STOPPED, "stopped"),
        (State.COMPLETED, "stopped"),
    ],
)
def test_restart_waits_for_required_components_and_counts_one_activation(state, waits_in):
    session = historical(expected=[Expected(name="sink")])
    factories.readied(session, "sink")
    for verb in PATHS[state]:
        lifecycle.settle(session_id=session.pk)
        getattr(lifecycle, verb)(principal=OPERATOR, session=session)
    session.refresh_from_db()
    before = session.activation
    lose(session)

    done = lifecycle.restart(principal=OPERATOR, session=session)

    waiting = Session.objects.get(pk=session.pk)
    assert (done.is_pending, waiting.state, waiting.is_starting) == (True, waits_in, True)
    factories.readied(session, "sink")
    lifecycle.settle(session_id=session.pk)
    session.refresh_from_db()
    assert (session.state, session.activation) == ("running", before + 1)


def lose(session: Session) -> None:
    one = Component.objects.get(session=session)
    standing.lose(component_id=str(one.pk), fence=one.fence, reason="silent")


# Changes of the session


def test_change_of_the_session_leaves_its_source_alone():
    session = historical(speed=1)
    same, other = {**session.config, "note": 1}, {"source": {"dataset": "data", "speed": 2}}

    creation.update(principal=OPERATOR, session=session, changes={"config": same})
    for config in (other, {}):
        with pytest.raises(ValidationFailed, match="source"):
            creation.update(principal=OPERATOR, session=session, changes={"config": config})

    session.refresh_from_db()
    assert session.config == same


# What a view is opened with


def test_place_of_a_session_has_its_epochs_and_where_it_begins():
    session = historical()

    place = replays.place(session.pk)

    assert place is not None
    assert [topic.topic for topic in place.source.topics] == [TRADES]
    assert (place.epochs, place.n, place.base, place.generation) == (epochs(session), 0, None, 0)
    assert replays.place(factories.session().pk) is None
