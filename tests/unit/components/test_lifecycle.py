import pytest

from aegis_project.kit import states
from aegis_project.kit.errors import InvalidState
from components.core import lifecycle
from components.core.lifecycle import TRANSITIONS, State


def follow(*commands, start=State.PENDING):
    state = start
    for command in commands:
        state = states.follow(TRANSITIONS, state, command)
    return state


def test_table_has_every_state_as_key_and_only_states_as_targets():
    targets = {target for moves in TRANSITIONS.values() for target in moves.values()}

    assert set(TRANSITIONS) == set(State)
    assert targets <= set(State)


@pytest.mark.parametrize(
    ("commands", "end"),
    [
        (["register"], State.REGISTERED),
        (["register", "ready"], State.READY),
        (["register", "ready", "ready"], State.READY),
        (["register", "ready", "run"], State.RUNNING),
        (["register", "ready", "run", "ready"], State.RUNNING),
        (["register", "ready", "run", "hold"], State.READY),
        (["register", "ready", "run", "hold", "run"], State.RUNNING),
        (["register", "ready", "run", "lose"], State.LOST),
        (["register", "ready", "run", "lose", "fail"], State.FAILED),
        (["register", "ready", "run", "lose", "register", "ready", "run"], State.RUNNING),
        (["register", "ready", "run", "lose", "register", "fail"], State.FAILED),
        (["register", "ready", "run", "register"], State.REGISTERED),
        (["stop", "register"], State.REGISTERED),
    ],
)
def test_component_follows_commands(commands, end):
    assert follow(*commands) is end


@pytest.mark.parametrize("state", State)
def test_component_can_stop_from_anywhere_and_come_back(state):
    assert follow("stop", start=state) is State.STOPPED
    assert follow("register", start=state) is State.REGISTERED


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (State.PENDING, "lose"),
        (State.PENDING, "ready"),
        (State.REGISTERED, "run"),
        (State.LOST, "ready"),
        (State.LOST, "run"),
        (State.STOPPED, "lose"),
        (State.STOPPED, "ready"),
        (State.FAILED, "lose"),
    ],
)
def test_component_refuses_what_the_table_lacks(state, command):
    with pytest.raises(InvalidState):
        states.follow(TRANSITIONS, state, command)


def test_groups_hold_the_right_states():
    assert {State.REGISTERED, State.READY, State.RUNNING} == lifecycle.CONNECTED
    assert set(lifecycle.CLAIMABLE).isdisjoint(lifecycle.CONNECTED)
    assert set(lifecycle.CLAIMABLE) | lifecycle.CONNECTED == set(State)


def test_words_are_those_of_seed_000():
    words = {state.value: lifecycle.word(state) for state in State}

    assert words == {
        "pending": "pending",
        "registered": "pending",
        "ready": "pending",
        "running": "running",
        "stopped": "stopped",
        "failed": "failed",
        "lost": "running",
    }


def test_word_of_lost_component_is_failed_once_its_grace_is_over():
    assert lifecycle.word(State.LOST, is_grace_over=True) == "failed"
    assert lifecycle.word(State.READY, is_grace_over=True) == "pending"
