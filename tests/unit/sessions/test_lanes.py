"""Lanes from events."""

from sessions.core import lanes
from sessions.core.lanes import Happened


def drawn(*events):
    """The lanes of ``(at, type, data)``, by group and name, as ``[word, start, end, label, until]``."""
    found = lanes.of(
        Happened(seq, at, kind, "system:test", data)
        for seq, (at, kind, data) in enumerate(events, start=1)
    )
    return {
        (lane.group, lane.name): [
            [word, start, end, label, until] for word, start, end, _, label, until in rows
        ]
        for lane in found.lanes.values()
        if (rows := [item.as_list() for item in lane.items])
    }


LIFE = ("", "Lifecycle")


def test_states_follow_each_other_and_the_end_is_an_instant():
    found = lanes.of(
        [
            Happened(1, 10, "session.created", "", {}),
            Happened(2, 20, "session.activated", "", {"activation": 1}),
            Happened(3, 25, "session.updated", "", {}),
            Happened(4, 30, "session.suspended", "", {"state": "paused"}),
            Happened(5, 40, "session.recovered", "", {}),
            Happened(6, 45, "session.activated", "", {"activation": 2}),
            Happened(7, 50, "session.ended", "", {"state": "completed"}),
            Happened(8, 60, "session.forked", "", {}),
            Happened(9, 60, "artifact.created", "", {}),
        ]
    )

    assert [item.as_list()[:4] for item in found.lanes["", "lifecycle"].items] == [
        ["created", 10, 20, 1],
        ["running", 20, 30, 2],
        ["paused", 30, 40, 4],
        ["paused", 40, 45, 5],
        ["running", 45, 50, 6],
        ["completed", 50, 50, 7],
    ]
    assert [(flag.at, flag.name, flag.kind) for flag in found.flags] == [
        (20, "started", "session"),
        (60, "forked", "session"),
    ]


def test_participant_is_drawn_once_per_state_and_late_beside_it():
    feed = {"name": "feed", "role": "feed"}

    found = drawn(
        (1, "component.attached", feed),
        (2, "component.registered", feed),
        (3, "component.ready", feed),
        (4, "component.running", feed),
        (5, "heartbeat.late", feed),
        (6, "heartbeat.lost", feed),
        (6, "component.lost", feed),
        (7, "component.reported", feed),
        (9, "component.failed", feed),
    )

    assert found["Participants", "feed"] == [
        ["pending", 1, 2, "", None],
        ["registered", 2, 3, "", None],
        ["ready", 3, 4, "", None],
        ["late", 5, 5, "", None],
        ["running", 4, 6, "", None],
        ["lost", 6, 9, "", None],
        ["failed", 9, None, "", None],
    ]


def test_late_before_anything_else_is_drawn():
    assert drawn((5, "heartbeat.late", {"name": "feed"})) == {
        ("Participants", "feed"): [["late", 5, 5, "", None]]
    }


def test_run_waits_for_people_and_two_runs_of_an_agent_do_not_cut_each_other():
    one, two = {"run": "a", "agent": "Triage"}, {"run": "b", "agent": "Triage"}

    found = drawn(
        (1, "run.queued", {**one, "place": 1}),
        (2, "run.started", one),
        (3, "run.waiting", {**one, "for": "approval"}),
        (4, "run.queued", {**two, "place": 2}),
        (5, "run.resumed", one),
        (6, "run.waiting", {**one, "for": "budget"}),
        (7, "run.started", one),
        (8, "run.unheard", one),
        (9, "run.completed", one),
        (10, "run.waiting", {**two, "for": "input"}),
        (11, "run.cancelled", two),
        (12, "run.failed", {"run": "c", "agent": "Triage"}),
    )

    assert found["Runs", "Triage"] == [
        ["queued", 1, 2, "1", None],
        ["working", 2, 3, "1", None],
        ["waiting", 3, 5, "1", None],
        ["queued", 4, 10, "2", None],
        ["queued", 5, 6, "1", None],
        ["queued", 6, 7, "1", None],
        ["completed", 7, 9, "1", None],
        ["waiting", 10, 11, "2", None],
        ["failed", 12, 12, "", None],
    ]


def test_call_shows_the_wait_who_decided_and_the_effect():
    call = {"tool_call": "t", "tool": "flatten", "risk": "high"}

    found = drawn(
        (1, "tool_call.pending", call),
        (1, "approval.requested", {**call, "approval": "p", "expires_at": "1970-01-01T00:00:09Z"}),
        (5, "approval.decided", {**call, "approval": "p", "state": "approved", "by": "user:Ana"}),
        (6, "tool_call.started", call),
        (8, "tool_call.completed", call),
        (9, "approval.requested", {**call, "approval": "q", "expires_at": "never"}),
        (10, "approval.expired", {**call, "approval": "q"}),
        (11, "approval.requested", {**call, "approval": "r", "expires_at": None}),
        (12, "approval.claimed", {**call, "approval": "r"}),
        (13, "tool_call.failed", {**call, "tool_call": "before"}),
        (14, "approval.cancelled", {**call, "approval": "before"}),
    )

    assert found["Tool calls", "flatten"] == [
        ["waiting", 1, 5, "approved by Ana", None],
        ["completed", 6, 8, "", None],
        ["waiting", 9, 10, "expired", None],
        ["waiting", 11, None, "", None],
    ]


def test_decision_that_is_open_says_until_when():
    said = {"tool": "flatten", "approval": "p", "expires_at": "1970-01-01T00:00:09+00:00"}

    found = drawn((1, "approval.requested", said))

    assert found["Tool calls", "flatten"] == [["waiting", 1, None, "", 9000]]


def test_messages_errors_and_named_checkpoints_are_instants():
    found = lanes.of(
        [
            Happened(1, 1, "message.created", "", {"role": "assistant", "preview": "Hm."}),
            Happened(2, 2, "message.updated", "", {}),
            Happened(3, 3, "error.occurred", "", {"code": "LLM_ERROR"}),
            Happened(4, 4, "checkpoint.created", "", {"label": "before incident"}),
            Happened(5, 5, "checkpoint.created", "", {"label": ""}),
        ]
    )

    rows = {lane.name: [item.as_list() for item in lane.items] for lane in found.lanes.values()}
    assert rows == {
        "Lifecycle": [],
        "Messages": [["assistant", 1, 1, 1, "Hm.", None]],
        "Errors": [["error", 3, 3, 3, "LLM_ERROR", None]],
    }
    assert [flag.name for flag in found.flags] == ["before incident"]
