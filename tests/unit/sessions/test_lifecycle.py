from datetime import UTC, datetime, timedelta

import pytest

from aegis_project.kit import states
from aegis_project.kit.errors import InvalidState
from sessions.core import lifecycle
from sessions.core.lifecycle import TRANSITIONS, Mode, State
from tests import tables

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("command", "state", "word"), tables.CELLS)
def test_each_cell_of_the_table_is_followed(command: str, state: State, word: str):
    if word == tables.REFUSED:
        with pytest.raises(InvalidState) as refusal:
            states.follow(TRANSITIONS, state, command)
        assert refusal.value.details == {
            "from": state.value,
            "command": command,
            "allowed": tables.allowed(state),
        }
    else:
        assert states.follow(TRANSITIONS, state, command) is tables.target(command, state)


def test_the_table_has_every_state_and_no_command_beyond_it():
    assert set(TRANSITIONS) == set(State) == set(tables.STATES)
    assert {name for commands in TRANSITIONS.values() for name in commands} == set(tables.COMMANDS)


def test_states_are_open_until_nothing_leads_out():
    leads_nowhere = {
        state for state, commands in TRANSITIONS.items() if set(commands.values()) == {state}
    }

    assert leads_nowhere == lifecycle.CLOSED
    assert frozenset(State) - lifecycle.CLOSED == lifecycle.OPEN


@pytest.mark.parametrize("state", State)
def test_only_a_historical_session_is_restarted_from_completed(state: State):
    realtime = states.allowed(lifecycle.table(Mode.REALTIME), state)
    historical = states.allowed(lifecycle.table(Mode.HISTORICAL), state)

    more = ["restart"] if state is State.COMPLETED else []
    assert historical == [*realtime, *more]
    assert lifecycle.legal(state, is_starting=False, mode=Mode.HISTORICAL) == historical


def test_restart_waits_where_components_can_come_and_get_nothing():
    waits_in = {state: lifecycle.WAITING_ROOMS.get(state, state) for state in State}

    assert lifecycle.OPEN.issuperset(waits_in[state] for state in State if state is not State.ENDED)
    assert State.RUNNING not in waits_in.values()


@pytest.mark.parametrize("state", sorted(lifecycle.OPEN))
def test_what_is_legal_without_a_pending_start_is_what_the_table_says(state: State):
    assert lifecycle.legal(state, is_starting=False) == states.allowed(TRANSITIONS, state)


def test_a_pending_start_can_be_withdrawn_also_where_the_table_alone_refuses():
    assert lifecycle.legal(State.CREATED, is_starting=True) == [
        "start",
        "fail",
        "complete",
        "end",
        "stop",
        "pause",
    ]
    assert set(lifecycle.legal(State.FAILED, is_starting=True)) >= set(lifecycle.WITHDRAWS)


def test_asking_what_is_legal_leaves_the_table_alone():
    before = states.allowed(TRANSITIONS, State.CREATED)

    lifecycle.legal(State.CREATED, is_starting=True)

    assert states.allowed(TRANSITIONS, State.CREATED) == before


@pytest.mark.parametrize("state", State)
def test_only_going_on_from_paused_is_no_new_activation(state: State):
    assert lifecycle.mints_activation(state) is (state is not State.PAUSED)


@pytest.mark.parametrize(
    ("started_minute", "stopped_minute", "minutes"),
    [
        (None, None, 0),
        (None, 5, 0),
        (0, None, 30),
        (0, 20, 20),
        (20, 10, 0),
    ],
)
def test_uptime_goes_from_the_last_start_to_the_last_halt_or_now(
    started_minute: int | None, stopped_minute: int | None, minutes: int
):
    def at(minute: int | None) -> datetime | None:
        return None if minute is None else NOON + timedelta(minutes=minute)

    found = lifecycle.uptime(
        started_at=at(started_minute),
        stopped_at=at(stopped_minute),
        now=NOON + timedelta(minutes=30),
    )

    assert found == timedelta(minutes=minutes)
