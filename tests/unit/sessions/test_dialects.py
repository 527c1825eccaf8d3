import pytest

from sessions.core import dialects
from sessions.core.dialects import BUS, DAEMON, DAEMON_AT_REST
from sessions.core.lifecycle import TRANSITIONS, Kind, State

pytestmark = pytest.mark.dialects

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


def test_seed_001_has_a_word_for_every_state_and_kind():
    assert set(dialects.AGENT_SESSIONS) == set(State)
    assert {kind: dialects.agent_session_kind(kind) for kind in Kind} == {
        Kind.STREAM: "custom",
        Kind.CHAT: "custom",
        Kind.METRICS: "metrics",
        Kind.POLICY: "policy",
        Kind.SIMULATION: "simulation",
        Kind.AUDIT: "audit",
        Kind.CUSTOM: "custom",
    }


def test_seed_001_filters_by_all_that_reads_as_its_word():
    assert dialects.agent_session_kinds("custom") == ["stream", "chat", "custom"]
    assert dialects.agent_session_states("paused") == ["paused", "stopped"]
    assert dialects.agent_session_states("completed") == ["completed", "ended"]


@pytest.mark.parametrize(("word", "verb"), dialects.AGENT_SESSION_VERBS.items())
def test_what_is_written_in_seed_001_is_read_back(word: str, verb: str):
    reached = {moves[verb] for moves in TRANSITIONS.values() if verb in moves}

    assert {dialects.AGENT_SESSIONS[state] for state in reached} == {word}


def test_seed_004_has_a_word_for_every_state():
    assert set(dialects.CONVERSATIONS) == set(State)
    assert dialects.conversation_states("suspended") == ["paused", "stopped", "failed"]
    assert dialects.conversation_states("created", "ended") == ["created", "completed", "ended"]


def test_the_words_of_seed_003_are_those_of_the_table():
    assert {state.value: word for state, word in BUS.items()} == {
        "created": "inactive",
        "running": "active",
        "paused": "inactive",
        "stopped": "inactive",
        "failed": "inactive",
        "completed": "ended",
        "ended": "ended",
    }


def test_the_table_has_a_row_for_every_state():
    head, *rows = dialects.TABLE

    assert head == ("State", "000", "001", "003", "004")
    assert [row[0] for row in rows] == [state.value for state in State]
    assert rows[0] == ("created", "initialized", "init", "inactive", "created")
