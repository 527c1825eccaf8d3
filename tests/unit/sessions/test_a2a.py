import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aegis_project.kit.errors import ValidationFailed
from sessions.core import a2a, a2a_messages
from sessions.core.a2a import Telling
from sessions.core.a2a_messages import Decision
from sessions.core.catching_up import Numbered, so_far
from sessions.core.run_log import (
    Data,
    End,
    Error,
    Start,
    Status,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

TS = 1_759_694_401_999
AT = "2025-10-05T20:00:01.999Z"
NAMES = {"taskId": "t", "contextId": "c"}
START = Start(run="t", agent="assistant", attempt=1, keeps=0)
CALL = ToolCall(id="1", call="x", name="note", arguments={"a": 1}, state="pending", approval="9")
RESULT = ToolResult(id="1", call="x", name="note", state="completed", result=42)
WAITING = Status(state="waiting", waiting_for="approval")
END = End(state="completed", message="m", finish_reason="stop", usage=Usage())
FILE = Data(media_type="image/png", data="aGk=", name="a.png")


def numbered(*entries, first=1):
    return [Numbered(seq, TS, entry) for seq, entry in enumerate(entries, first)]


def telling(*entries):
    found = Telling(task="t", context="c")
    updates = [update for one in numbered(*entries) for update in found.take(one)]
    return found, updates


def status(state, **rest):
    return {"state": f"TASK_STATE_{state}", "timestamp": AT, **rest}


def answer(text, number=1):
    parts = [{"text": text, "mediaType": "text/plain"}]
    return {"artifactId": f"answer-{number}", "name": "answer", "parts": parts}


def test_a_task_that_nothing_was_said_of_is_submitted():
    found, _ = telling()

    assert found.task() == {
        "id": "t",
        "contextId": "c",
        "status": {"state": "TASK_STATE_SUBMITTED"},
        "history": [],
    }


def test_a_run_is_a_status_pieces_of_an_artifact_and_a_terminal_status():
    found, updates = telling(START, Text(text="Hel"), Text(text="lo"), END)

    assert updates == [
        {"statusUpdate": {**NAMES, "status": status("WORKING"), "metadata": {"attempt": 1}}},
        {"artifactUpdate": {**NAMES, "artifact": answer("Hel")}},
        {"artifactUpdate": {**NAMES, "artifact": answer("lo"), "append": True}},
        {"statusUpdate": {**NAMES, "status": status("COMPLETED")}},
    ]
    assert found.task()["artifacts"] == [answer("Hello")]
    assert found.task()["status"] == status("COMPLETED")


def test_files_are_artifacts_of_their_own_and_text_behind_them_too():
    found, updates = telling(Text(text="a"), FILE, Text(text="b"), Data(media_type="x/y", data=""))

    raw = {"raw": "aGk=", "mediaType": "image/png", "filename": "a.png"}
    nameless = {"raw": "", "mediaType": "x/y"}
    artifacts = [
        answer("a"),
        {"artifactId": "file-1", "name": "a.png", "parts": [raw]},
        answer("b", 2),
        {"artifactId": "file-2", "name": "file", "parts": [nameless]},
    ]
    assert [one["artifactUpdate"]["artifact"] for one in updates] == artifacts
    assert found.artifacts() == artifacts


def test_a_new_attempt_takes_back_what_is_void_and_leaves_the_rest():
    again = Start(run="t", agent="assistant", attempt=2, keeps=2)

    found, updates = telling(START, Text(text="kept "), Text(text="lost"), FILE, again)

    gone = {"artifactId": "file-1", "name": "a.png", "metadata": {"void": True}}
    assert [one["artifactUpdate"] for one in updates[4:6]] == [
        {**NAMES, "artifact": answer("kept ")},
        {**NAMES, "artifact": {**gone, "parts": [{"text": "", "mediaType": "text/plain"}]}},
    ]
    assert updates[6]["statusUpdate"]["metadata"] == {"attempt": 2}
    assert found.artifacts() == [answer("kept ")]


def test_what_is_said_after_a_void_takes_the_place_of_what_it_replaces():
    again = Start(run="t", agent="assistant", attempt=2, keeps=0)

    found, updates = telling(START, Text(text="lost"), again, Text(text="found"))

    assert updates[-1] == {"artifactUpdate": {**NAMES, "artifact": answer("found")}}
    assert found.artifacts() == [answer("found")]


def test_tools_are_told_by_messages_of_the_status_and_begin_a_new_answer():
    found, updates = telling(Text(text="Let me see."), CALL, RESULT, Text(text="42"))

    def told(seq, call):
        parts = [{"data": {"toolCall": call}, "mediaType": "application/json"}]
        message = {"messageId": f"t-{seq}", "role": "ROLE_AGENT", **NAMES, "parts": parts}
        return {"statusUpdate": {**NAMES, "status": status("WORKING", message=message)}}

    asked = {"id": "1", "tool": "note", "state": "pending", "arguments": {"a": 1}}
    done = {"id": "1", "tool": "note", "state": "completed", "result": 42, "error": None}
    assert updates[1:3] == [told(2, asked), told(3, done)]
    assert found.artifacts() == [answer("Let me see."), answer("42", 2)]


def test_a_run_that_waits_requires_input_and_says_what_for():
    found, updates = telling(START, CALL, WAITING)

    asked = {"approval": "9", "tool": "note", "arguments": {"a": 1}}
    parts = [
        {"text": "Waits for a decision.", "mediaType": "text/plain"},
        {
            "data": {"waitingFor": "approval", "approvals": [asked]},
            "mediaType": "application/json",
        },
    ]
    message = {"messageId": "t-3", "role": "ROLE_AGENT", **NAMES, "parts": parts}
    assert found.status == status("INPUT_REQUIRED", message=message)
    assert [a2a.is_interrupted(one) for one in updates] == [False, False, True]
    assert found.task()["history"] == []


def test_what_was_waited_for_goes_to_the_history_among_what_the_user_said():
    approved = ToolCall(id="1", call="x", name="note", arguments={}, state="approved")

    found, updates = telling(START, CALL, WAITING, approved, Status(state="working"), RESULT, END)

    first, later = {"messageId": "u-1"}, {"messageId": "u-2"}
    history = found.task([(TS - 1, first), (TS + 1, later)])["history"]
    assert [one["messageId"] for one in history] == ["u-1", "t-3", "u-2"]
    assert updates[4]["statusUpdate"]["metadata"] == {"aegisState": "working"}


def test_a_failure_says_why_and_ends_the_task():
    failed = Error(code="LLM_ERROR", message="Away.", details={"tries": 3}, usage=Usage())

    found, (update,) = telling(failed)

    parts = found.status["message"]["parts"]
    assert (parts[0]["text"], parts[1]["data"]) == (
        "Away.",
        {"code": "LLM_ERROR", "details": {"tries": 3}},
    )
    assert found.status["state"] == "TASK_STATE_FAILED"
    assert a2a.is_over(update)


@pytest.mark.parametrize(("state", "word"), [("completed", "COMPLETED"), ("cancelled", "CANCELED")])
def test_an_end_is_terminal(state: str, word: str):
    _, (update,) = telling(End(state=state, message=None, finish_reason="", usage=Usage()))

    assert update["statusUpdate"]["status"]["state"] == f"TASK_STATE_{word}"
    assert a2a.is_over(update)
    assert not a2a.is_interrupted(update)


def test_who_comes_late_sees_the_same_task():
    again = Start(run="t", agent="assistant", attempt=2, keeps=2)
    entries = [START, Text(text="a"), Text(text="b"), again, CALL, WAITING, RESULT, Text(text="c")]

    followed, _ = telling(*entries)
    late = Telling(task="t", context="c")
    for one in so_far(numbered(*entries)):
        late.take(one)

    assert late.artifacts() == followed.artifacts()
    assert late.status["state"] == followed.status["state"]


def test_the_words_of_a_message_are_its_texts_data_and_addresses():
    parts: list[dict[str, Any]] = [
        {"text": "Look:"},
        {"data": {"a": [1]}},
        {"url": "https://x.y/z"},
        {"raw": "aGk="},
    ]

    assert a2a_messages.words(parts) == 'Look:\n\n{"a":[1]}\n\nhttps://x.y/z'


@pytest.mark.parametrize(
    ("parts", "decided"),
    [
        ([{"text": " Approve. "}], [Decision(True)]),
        ([{"text": "no"}], [Decision(False)]),
        (
            [{"text": "as said"}, {"data": {"approved": True, "approval": "9"}}],
            [Decision(True, "9")],
        ),
        (
            [{"data": {"approved": False, "reason": "late", "more": 1}}],
            [Decision(False, "", "late")],
        ),
    ],
)
def test_a_decision_is_one_word_or_data(parts, decided):
    assert a2a_messages.decisions(parts) == decided


@pytest.mark.parametrize("parts", [[], [{"text": "perhaps"}], [{"data": {"approved": "x"}}]])
def test_what_decides_nothing_is_told_how(parts):
    with pytest.raises(ValidationFailed, match="say approve or reject"):
        a2a_messages.decisions(parts)


def test_what_the_ledger_tells_of_a_run_moves_its_task():
    moved = a2a.moved("run.waiting", task="t", context="c", at=AT)

    assert moved == {"statusUpdate": {**NAMES, "status": status("INPUT_REQUIRED")}}
    assert [type_ for type_ in a2a.TOLD if a2a.ends(type_)] == [
        "run.completed",
        "run.failed",
        "run.cancelled",
    ]
    assert not a2a.ends("run.queued")


def test_what_an_agent_declines_is_rejected():
    error = Error(code="RUN_REJECTED", message="No.", details={}, usage=Usage())

    found, updates = telling(START, error)

    state = updates[-1]["statusUpdate"]["status"]["state"]
    assert (state, found.status["state"]) == ("TASK_STATE_REJECTED", "TASK_STATE_REJECTED")
    assert a2a.is_over(updates[-1])


@pytest.mark.parametrize(
    ("media_type", "body", "part"),
    [
        ("application/json", b'{"a": [1]}', {"data": {"a": [1]}, "mediaType": "application/json"}),
        ("application/json", b"{", {"raw": "ew==", "mediaType": "application/json"}),
        ("text/uri-list", b"https://example.com/x\n", {"url": "https://example.com/x"}),
        ("text/uri-list", b"\xff", {"raw": "/w==", "mediaType": "text/uri-list"}),
        ("text/plain", b"hi", {"raw": "aGk=", "mediaType": "text/plain"}),
    ],
)
def test_a_piece_is_data_an_address_or_a_file(media_type: str, body: bytes, part: dict[str, Any]):
    said = Data(media_type=media_type, data=base64.b64encode(body).decode())

    found, _ = telling(said)

    assert found.artifacts() == [{"artifactId": "file-1", "name": "file", "parts": [part]}]


def test_a_reply_is_all_that_was_made_as_one_message():
    found, _ = telling(START, Text(text="Hel"), Text(text="lo"), FILE, END)

    raw = {"raw": "aGk=", "mediaType": "image/png", "filename": "a.png"}
    assert found.reply() == {
        "messageId": "t-reply",
        "role": "ROLE_AGENT",
        "contextId": "c",
        "parts": [{"text": "Hello", "mediaType": "text/plain"}, raw],
    }


# What a worker may write, in any order that it may come in; a new attempt keeps some of it.
SAID = st.one_of(
    st.builds(Text, text=st.text(max_size=3)),
    st.just(FILE),
    st.just(CALL),
    st.just(RESULT),
    st.just(WAITING),
    st.builds(Status, state=st.just("working")),
    st.builds(
        Start,
        run=st.just("t"),
        agent=st.just("assistant"),
        attempt=st.integers(1, 3),
        keeps=st.integers(0, 12),
    ),
)


def put_together(task, updates):
    """A task's state and artifacts, as a client has them after these updates."""
    state, made = task["status"]["state"], {}
    for one in task.get("artifacts", []):
        made[one["artifactId"]] = said_in(one)
    for update in updates:
        if "statusUpdate" in update:
            state = update["statusUpdate"]["status"]["state"]
            continue
        told = update["artifactUpdate"]
        name = told["artifact"]["artifactId"]
        before = made.get(name, []) if told.get("append") else []
        made[name] = joined([*before, *said_in(told["artifact"])])
    return state, {name: parts for name, parts in made.items() if parts != [""]}


def said_in(artifact):
    return [part.get("text", str(part.get("raw"))) for part in artifact["parts"]]


def joined(parts):
    return ["".join(parts)]


@given(entries=st.lists(SAID, max_size=12), place=st.integers(0, 12))
def test_whoever_comes_when_puts_the_same_task_together(entries, place: int):
    entries = [
        replace(one, keeps=min(one.keeps, number)) if isinstance(one, Start) else one
        for number, one in enumerate(entries)
    ]
    first, all_updates = telling(*entries)
    late, _ = telling(*entries[:place])
    snapshot = late.task()

    heard = [
        update
        for one in numbered(*entries[place:], first=min(place, len(entries)) + 1)
        for update in late.take(one)
    ]

    assert all_updates[len(all_updates) - len(heard) :] == heard
    empty = {"status": {"state": "TASK_STATE_SUBMITTED"}}
    everything = put_together(first.task(), [])
    assert put_together(snapshot, heard) == put_together(empty, all_updates) == everything
