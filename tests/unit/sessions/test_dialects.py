from sessions.core.dialects import DAEMON, DAEMON_AT_REST
from sessions.core.lifecycle import TRANSITIONS, State

WORDS = {"initialized", "running", "stopped", "error"}


def test_every_state_has_a_word_of_seed_000():
    assert set(DAEMON) == set(State)
    assert set(DAEMON.values()) == WORDS


def test_the_words_of_seed_000_are_those_of_the_table():
    assert {state.value: word for state, word in DAEMON.items()} == {
        "created": "initialized",
        "running": "running",
        "paused": "stopped",
        "stopped": "stopped",
        "failed": "error",
        "completed": "stopped",
        "ended": "stopped",
    }


def test_a_stop_is_done_where_the_lever_has_none():
    without = {state for state, commands in TRANSITIONS.items() if "stop" not in commands}

    assert without == DAEMON_AT_REST
