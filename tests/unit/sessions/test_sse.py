import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import sse
from sessions.core.catching_up import Numbered
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

USAGE = Usage(input_tokens=7, output_tokens=5, requests=2, cost="0.01")
SAID = {
    "prompt_tokens": 7,
    "completion_tokens": 5,
    "total_tokens": 12,
    "requests": 2,
    "cost": "0.01",
}
ASKED = ToolCall(id="1", call="c", name="note", arguments={"a": 1}, state="pending", approval="9")


def shown(*entries, behind="0", first=1):
    numbered = [Numbered(seq, 0, entry) for seq, entry in enumerate(entries, first)]
    return sse.events(numbered, session="s", behind=sse.parse(behind))


def only(entry):
    (event,) = shown(entry)
    return event.event, event.data


def test_a_run_is_a_message_with_a_start_and_an_end():
    start = Start(run="r", agent="assistant", attempt=2, keeps=17, message="m")
    end = End(state="completed", message="a", finish_reason="stop", usage=USAGE)

    found = shown(start, Text(text="Hel"), Text(text="lo"), end)

    assert found == [
        sse.Event(
            "1",
            "message_start",
            {
                "message_id": "r",
                "session_id": "s",
                "run_id": "r",
                "agent": "assistant",
                "attempt": 2,
                "keeps": 17,
                "answers": "m",
            },
        ),
        sse.Event("2", "content_delta", {"delta": "Hel"}),
        sse.Event("3", "content_delta", {"delta": "lo"}),
        sse.Event(
            "4",
            "message_end",
            {"message_id": "a", "usage": SAID, "finish_reason": "stop", "state": "completed"},
        ),
    ]


def test_a_call_that_needs_nobody_is_one_event():
    call = ToolCall(id="1", call="c", name="note", arguments={"a": 1}, state="running")

    assert only(call) == (
        "tool_call",
        {
            "id": "1",
            "name": "note",
            "arguments": {"a": 1},
            "requires_approval": False,
            "call_id": "c",
            "status": "approved",
            "state": "running",
        },
    )


def test_a_call_that_waits_is_two_events_with_ids_of_their_own():
    call, asked = shown(ASKED, first=5)

    assert (call.id, call.event, call.data["requires_approval"]) == ("5.1", "tool_call", True)
    assert (asked.id, asked.event) == ("5", "approval_required")
    assert asked.data == {"approval_request_id": "9", "tool_call": call.data}


def test_a_call_that_was_decided_asks_nobody_again():
    decided = ToolCall(id="1", call="c", name="note", arguments={}, state="approved", approval="9")

    assert [event.event for event in shown(decided)] == ["tool_call"]


@pytest.mark.parametrize(
    ("state", "error", "success", "status"),
    [
        ("completed", None, True, "completed"),
        ("expired", {"code": "APPROVAL_TIMEOUT", "message": "Too late."}, False, "failed"),
    ],
)
def test_a_result_says_how_the_call_went(state, error, success, status):
    result = ToolResult(id="1", call="c", name="note", state=state, result=42, error=error)

    assert only(result) == (
        "tool_result",
        {
            "id": "1",
            "name": "note",
            "result": 42,
            "success": success,
            "error": error,
            "error_message": error and error["message"],
            "call_id": "c",
            "status": status,
            "state": state,
        },
    )


@pytest.mark.parametrize(
    ("entry", "word", "data"),
    [
        (
            Status(state="waiting", waiting_for="budget", text="No money."),
            "status",
            {"state": "waiting", "waiting_for": "budget", "message": "No money."},
        ),
        (
            Data(media_type="audio/wav", data="AAAA", name="a.wav"),
            "data",
            {"media_type": "audio/wav", "data": "AAAA", "name": "a.wav"},
        ),
        (
            Error(code="LLM_TIMEOUT", message="Late.", details={}, usage=USAGE),
            "error",
            {"code": "LLM_TIMEOUT", "message": "Late.", "details": {}, "usage": SAID},
        ),
    ],
)
def test_everything_else_has_its_word(entry, word, data):
    assert only(entry) == (word, data)


@pytest.mark.parametrize(
    ("behind", "ids"),
    [("0", ["1", "2.1", "2", "3"]), ("1", ["2.1", "2", "3"]), ("2.1", ["2", "3"]), ("3", [])],
)
def test_who_was_cut_gets_every_later_event_once(behind, ids):
    found = shown(Text(text="a"), ASKED, Text(text="b"), behind=behind)

    assert [event.id for event in found] == ids


@pytest.mark.parametrize(
    "text", ["", "a", "-1", "1.", "1.22", "1.2.3", "99999999999999999", "9" * 16]
)
def test_no_place_is_made_of_nonsense(text):
    with pytest.raises(ValidationFailed):
        sse.parse(text)


def test_only_an_end_is_the_last():
    end = End(state="cancelled", message=None, finish_reason="cancelled", usage=Usage())

    assert sse.is_last(end)
    assert not sse.is_last(Text(text="a"))
