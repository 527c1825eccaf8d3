from uuid import UUID

import pytest

from aegis_project.kit import states
from aegis_project.kit.errors import InvalidState
from sessions.core import approvals, run_log, runs, tool_calls


@pytest.mark.parametrize(
    ("table", "state", "commands", "end"),
    [
        (runs.TRANSITIONS, runs.State.QUEUED, ("claim", "wait", "resume", "claim"), "working"),
        (runs.TRANSITIONS, runs.State.WORKING, ("release", "claim", "complete"), "completed"),
        (
            tool_calls.TRANSITIONS,
            tool_calls.State.PENDING,
            ("approve", "run", "lose", "approve", "run", "complete"),
            "completed",
        ),
        (approvals.TRANSITIONS, approvals.State.PENDING, ("expire",), "expired"),
    ],
)
def test_machine_goes_its_way(table, state, commands, end):
    for command in commands:
        state = states.follow(table, state, command)

    assert state == end


@pytest.mark.parametrize("state", set(approvals.State) - {approvals.State.PENDING})
@pytest.mark.parametrize("command", ["approve", "reject", "expire", "cancel"])
def test_what_is_decided_stays_decided(state, command):
    with pytest.raises(InvalidState):
        states.follow(approvals.TRANSITIONS, state, command)


def test_every_state_has_its_words():
    assert set(runs.TASK_WORDS) == set(runs.A2A_WORDS) == set(runs.State)
    assert set(tool_calls.WORDS) == set(tool_calls.State)


CALL = {"tool": "note", "tool_version": "1", "run_id": "r", "call_id": "c"}


def test_digest_is_of_the_arguments_and_not_of_their_order():
    one = tool_calls.digest(**CALL, arguments={"a": 1, "b": [1.5, None]})

    assert one == tool_calls.digest(**CALL, arguments={"b": [1.5, None], "a": 1})
    assert len(one) == 64


def test_digest_is_of_numbers_and_not_of_how_they_are_written():
    written = {"a": [1e16, -0.0, 2.0], "b": 0.1, "c": True}
    kept = {"a": [10**16, 0.0, 2], "b": 0.1, "c": True}

    assert tool_calls.digest(**CALL, arguments=written) == tool_calls.digest(**CALL, arguments=kept)


@pytest.mark.parametrize(
    "other", [{"tool": "x"}, {"tool_version": "2"}, {"run_id": "x"}, {"call_id": "x"}]
)
def test_digest_is_of_this_call_alone(other):
    assert tool_calls.digest(**CALL, arguments={}) != tool_calls.digest(
        **{**CALL, **other}, arguments={}
    )


def test_entries_of_a_run_are_read_as_they_were_written():
    entries = [
        run_log.Start(run="r", agent="a", attempt=1, keeps=0),
        run_log.Text(text="é"),
        run_log.End(
            state="completed", message="m", finish_reason="stop", usage=run_log.Usage(requests=1)
        ),
    ]

    assert [run_log.decode(run_log.encode(entry)) for entry in entries] == entries


def test_log_of_a_run_is_named_by_its_id():
    assert run_log.name_of(UUID(int=1)) == "runs.00000000-0000-0000-0000-000000000001"


def test_what_was_said_is_what_the_last_attempt_said():
    start = run_log.Start(run="r", agent="a", attempt=1, keeps=0)
    status = run_log.Status(state="queued")
    entries = [start, run_log.Text(text="x"), status, start]

    said = run_log.text_of([*entries, run_log.Text(text="a"), run_log.Text(text="b")])

    assert (said, run_log.text_of(entries)) == ("ab", "")


@pytest.mark.parametrize(
    ("facts", "common"),
    [
        ([], ["tool", "agent", "session"]),
        ([("a", "x", "1"), ("a", "y", "1")], ["tool", "session"]),
        ([("a", "x", "1"), ("b", "y", "2")], []),
    ],
)
def test_what_is_decided_in_one_go_has_something_in_common(facts, common):
    told = [dict(zip(approvals.ALIKE, one, strict=True)) for one in facts]

    assert approvals.alike(told) == common


def test_a_number_beyond_64_bits_reads_the_same_whatever_digits_a_database_gives_back():
    assert tool_calls.canonical({"a": 10**300}) == tool_calls.canonical({"a": 1e300})
    assert tool_calls.canonical({"a": 2**63}) == b'{"a":9223372036854775808}'
