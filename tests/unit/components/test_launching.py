import pytest

from aegis_project.kit import states
from aegis_project.kit.errors import InvalidState
from components.core import launching
from components.core.launching import TRANSITIONS, Exit, Restart, Rules, State, Verdict
from components.core.lifecycle import State as Component
from components.core.reconnect import Backoff

ID = "3f2a9c1b-77aa-4000-8000-000000000000"


def rules(restart=Restart.ON_FAILURE, limit=2):
    return Rules(restart=restart, backoff=Backoff(1.0, 6.0), limit=limit, settled_seconds=60.0)


def follow(*commands, start=State.STOPPED):
    state = start
    for command in commands:
        state = states.follow(TRANSITIONS, state, command)
    return state


def test_table_has_every_state_as_key_and_only_states_as_targets():
    targets = {target for moves in TRANSITIONS.values() for target in moves.values()}

    assert set(TRANSITIONS) == set(State)
    assert targets <= set(State)
    assert launching.ALIVE < launching.ACTIVE < set(State)


@pytest.mark.parametrize(
    ("component", "process", "is_here"),
    [
        (Component.READY, None, True),
        (Component.READY, State.STOPPED, True),
        (Component.PENDING, State.STARTING, True),
        ("lost", "stopping", True),
        (Component.LOST, State.WAITING, False),
        (Component.PENDING, None, False),
    ],
)
def test_a_component_is_here_that_is_connected_or_has_a_process(component, process, is_here):
    assert launching.is_here(component, process) is is_here


@pytest.mark.parametrize(
    ("commands", "end"),
    [
        (["want"], State.WAITING),
        (["want", "end"], State.STOPPED),
        (["want", "begin", "begin", "run", "run"], State.RUNNING),
        (["want", "begin", "run", "retry", "begin"], State.STARTING),
        (["want", "begin", "run", "stop", "stop", "end"], State.STOPPED),
        (["want", "begin", "run", "stop", "want", "retry"], State.WAITING),
        (["want", "begin", "fail"], State.FAILED),
        (["want", "begin", "fail", "want"], State.WAITING),
    ],
)
def test_launch_follows_commands(commands, end):
    assert follow(*commands) is end


@pytest.mark.parametrize(
    ("state", "command"),
    [(State.STOPPED, "begin"), (State.RUNNING, "begin"), (State.FAILED, "run")],
)
def test_launch_refuses_what_the_table_lacks(state, command):
    with pytest.raises(InvalidState):
        states.follow(TRANSITIONS, state, command)


@pytest.mark.parametrize(
    ("restart", "code", "restarts", "verdict"),
    [
        (Restart.NEVER, 0, 0, Verdict.END),
        (Restart.NEVER, 1, 0, Verdict.FAIL),
        (Restart.ON_FAILURE, 0, 0, Verdict.END),
        (Restart.ON_FAILURE, 1, 1, Verdict.RETRY),
        (Restart.ON_FAILURE, -9, 1, Verdict.RETRY),
        (Restart.ON_FAILURE, None, 1, Verdict.RETRY),
        (Restart.ON_FAILURE, 1, 2, Verdict.FAIL),
        (Restart.ALWAYS, 0, 1, Verdict.RETRY),
        (Restart.ALWAYS, 0, 2, Verdict.FAIL),
    ],
)
def test_policy_judges_an_end(restart, code, restarts, verdict):
    assert launching.judge(Exit(code), rules(restart), restarts=restarts) is verdict


def test_what_cannot_be_started_is_given_up_at_once():
    ended = Exit(127, message="There is no such file.", is_hopeless=True)

    assert launching.judge(ended, rules(Restart.ALWAYS), restarts=0) is Verdict.FAIL


def test_who_ran_long_enough_begins_to_count_anew():
    assert launching.in_a_row(Exit(1, seconds=59.9), rules(), restarts=2) == 2
    assert launching.in_a_row(Exit(1, seconds=60.0), rules(), restarts=2) == 0


@pytest.mark.parametrize(
    ("restarts", "chance", "seconds"),
    [(0, 0.0, 0.5), (0, 1.0, 1.0), (1, 1.0, 2.0), (2, 1.0, 4.0), (3, 1.0, 6.0), (60, 0.5, 4.5)],
)
def test_pauses_grow_up_to_the_longest(restarts, chance, seconds):
    assert launching.pause_seconds(rules(), restarts=restarts, chance=chance) == seconds


@pytest.mark.parametrize(
    ("ended", "sentence"),
    [
        (Exit(3), "It exited 3."),
        (Exit(-15), "It ended by signal 15."),
        (Exit(None), "It was lost."),
        (Exit(127, message="There is no such file."), "There is no such file."),
    ],
)
def test_an_end_is_told_in_a_sentence(ended, sentence):
    assert ended.sentence == sentence


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("feed", "logs.feed"),
        ("feed-2@b", "logs.feed-2@b"),
        ("my feed", "logs.my_feed-3f2a9c1b"),
        ("a.b", "logs.a_b-3f2a9c1b"),
        ("-x", "logs._x-3f2a9c1b"),
        ("x" * 128, f"logs.{'x' * 128}"),
        ("é" * 128, f"logs.{'_' * 128}-3f2a9c1b"),
    ],
)
def test_topic_of_a_log_is_one_level_for_the_component(name, topic):
    assert launching.log_topic(name, ID) == topic
