import json
from datetime import UTC, datetime

import pytest

from sessions.core import chunks
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

START = Start(run="run", agent="assistant", attempt=1, keeps=0, task="task-123")
CALL = ToolCall(id="1", call="c", name="note", arguments={"a": 1}, state="pending", approval="9")
RESULT = ToolResult(id="1", call="c", name="note", state="completed", result=42)
WAITING = Status(state="waiting", waiting_for="approval", text="Somebody has to decide.")
WORKING = Status(state="working")
END = End(state="completed", message="m", finish_reason="stop", usage=Usage())
FAILED = Error(code="LLM_ERROR", message="Away.", details={"tries": 3}, usage=Usage())


def numbered(*entries, first=1):
    return [Numbered(seq, 1_759_694_401_999, entry) for seq, entry in enumerate(entries, first)]


def shown(*entries):
    found = chunks.chunks(numbered(*entries), task="task-123", session="s")
    return [json.loads(chunks.encode(one)) for one in found]


def test_a_text_chunk_is_as_the_seed_shows_it():
    (found,) = shown(Text(text="Quantum computing is..."))

    assert found == {
        "taskId": "task-123",
        "chunkType": "text",
        "content": "Quantum computing is...",
        "timestamp": "2025-10-05T20:00:01Z",
        "final": False,
        "id": "1",
    }


def test_a_task_is_its_metadata_its_pieces_and_one_final_chunk():
    found = shown(START, Text(text="a"), CALL, WAITING, RESULT, Text(text="b"), END)

    assert [(one["chunkType"], one["final"]) for one in found] == [
        ("metadata", False),
        ("text", False),
        ("data", False),
        ("metadata", False),
        ("data", False),
        ("text", False),
        ("done", True),
    ]
    assert [one["id"] for one in found] == ["1", "2", "3", "4", "5", "6", "7"]
    assert found[-1]["content"] is None
    assert found[-1]["aegisState"] == "completed"


def test_metadata_says_whose_task_it_is_and_which_attempt():
    again = Start(run="run", agent="assistant", attempt=2, keeps=17)

    (found,) = shown(again)

    assert found["content"] == {
        "sessionId": "s",
        "agentId": "assistant",
        "runId": "run",
        "status": "running",
        "attempt": 2,
        "keeps": "17",
    }


def test_metadata_says_what_a_task_waits_for():
    (found,) = shown(WAITING)

    assert found["aegisState"] == "waiting"
    assert found["content"] == {
        "status": "running",
        "waitingFor": "approval",
        "message": "Somebody has to decide.",
    }


@pytest.mark.parametrize(
    ("name", "rest"), [("", {}), ("cat.png", {"name": "cat.png"})], ids=["no name", "name"]
)
def test_what_is_no_text_comes_as_base64_with_its_type(name, rest):
    (found,) = shown(Data(media_type="image/png", data="iVBORw==", name=name))

    assert found["chunkType"] == "data"
    assert found["content"] == {
        "type": "image/png",
        "encoding": "base64",
        "content": "iVBORw==",
        **rest,
    }


def test_tools_come_as_data():
    call, result = shown(CALL, RESULT)

    shared = {"id": "1", "callId": "c", "name": "note"}
    assert call["content"] == {
        "type": "tool_call",
        **shared,
        "status": "pending",
        "aegisState": "pending",
        "arguments": {"a": 1},
        "approvalId": "9",
    }
    assert result["content"] == {
        "type": "tool_result",
        **shared,
        "status": "completed",
        "aegisState": "completed",
        "result": 42,
        "error": None,
    }


def test_a_failure_is_the_final_chunk():
    (found,) = shown(FAILED)

    assert (found["chunkType"], found["final"]) == ("error", True)
    assert found["content"] == {"code": "LLM_ERROR", "message": "Away.", "details": {"tries": 3}}


def test_a_task_that_did_not_come_to_be_has_one_chunk():
    error = {"code": "AGENT_NOT_FOUND", "message": "There is no such agent.", "details": {}}
    at = datetime(2025, 10, 5, 20, tzinfo=UTC)

    assert json.loads(chunks.encode(chunks.failure(task="t", error=error, at=at))) == {
        "taskId": "t",
        "chunkType": "error",
        "content": error,
        "timestamp": "2025-10-05T20:00:00Z",
        "final": True,
    }


def told(*entries):
    return [(one.seq, one.entry) for one in so_far(numbered(*entries))]


def test_who_comes_late_gets_the_text_in_one_piece():
    found = told(START, Text(text="Quantum "), Text(text="computing"), CALL, Text(text="is"))

    assert found == [
        (1, START),
        (3, Text(text="Quantum computing")),
        (4, CALL),
        (5, Text(text="is")),
    ]


def test_who_comes_late_gets_nothing_of_what_a_later_attempt_replaced():
    second = Start(run="run", agent="assistant", attempt=2, keeps=3)
    third = Start(run="run", agent="assistant", attempt=3, keeps=3)

    found = told(
        START, Text(text="kept"), CALL, Text(text="lost"), second, Text(text="lost"), third, RESULT
    )

    assert found == [(1, START), (2, Text(text="kept")), (3, CALL), (7, third), (8, RESULT)]


def test_a_text_of_which_the_end_was_replaced_keeps_its_beginning():
    second = Start(run="run", agent="assistant", attempt=2, keeps=2)

    assert told(START, Text(text="kept"), Text(text="lost"), second) == [
        (1, START),
        (2, Text(text="kept")),
        (4, second),
    ]


def test_an_attempt_that_keeps_nothing_begins_anew():
    second = Start(run="run", agent="assistant", attempt=2, keeps=0)

    assert told(START, Text(text="lost"), second, Text(text="b")) == [
        (3, second),
        (4, Text(text="b")),
    ]


def test_who_comes_late_hears_only_where_the_run_stands_now():
    assert told(START, Text(text="a"), WAITING, WORKING, Text(text="b"), WAITING) == [
        (1, START),
        (5, Text(text="ab")),
        (6, WAITING),
    ]


def test_nobody_said_anything():
    assert told() == []
    assert told(WAITING) == [(1, WAITING)]
