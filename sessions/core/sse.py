"""The log of a run as the server-sent events of seed 004."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from aegis_project.kit.errors import ValidationFailed
from sessions.core import tool_calls
from sessions.core.catching_up import Numbered
from sessions.core.run_log import (
    AnyEntry,
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
from streaming.core.position import MAX_SEQ

PLACE = re.compile(r"([0-9]{1,16})(?:\.([0-9]))?\Z")


class Event(NamedTuple):
    """One event: its id, its word, its data (a JSON object)."""

    id: str
    event: str
    data: dict[str, Any]


class Place(NamedTuple):
    """How far somebody is: behind the entry ``seq``, and so many events of the one after it."""

    seq: int
    parts: int


def parse(text: str) -> Place:
    """
    The place behind the event with this id.

    :raises ValidationFailed: for what is no id of an event
    """
    found = PLACE.match(text)
    if found is None or int(found[1]) > MAX_SEQ:
        raise ValidationFailed("An event of a run has an id as 17 or 17.1.", fields=["after"])
    if found[2] is None:
        return Place(int(found[1]), 0)
    return Place(max(0, int(found[1]) - 1), int(found[2]))


def events(entries: Iterable[Numbered], *, session: str, behind: Place) -> list[Event]:
    """
    The events of these entries, without those ahead of ``behind``.

    The last event of an entry has its number as id, one before it that and a second number: so a
    reader who was cut between the two goes on with the second.
    """
    return [
        event
        for one in entries
        if one.seq > behind.seq
        for event in _numbered(one, session, behind.parts if one.seq == behind.seq + 1 else 0)
    ]


def is_last(entry: AnyEntry) -> bool:
    """Whether nothing follows in the log of a run."""
    return isinstance(entry, End | Error)


def _numbered(one: Numbered, session: str, known: int) -> list[Event]:
    told = _events(one.entry, session)
    ids = [f"{one.seq}.{part}" for part in range(1, len(told))] + [str(one.seq)]
    return [Event(id_, *event) for id_, event in zip(ids, told, strict=True)][known:]


def _events(entry: AnyEntry, session: str) -> list[tuple[str, dict[str, Any]]]:
    match entry:
        case Start():
            return [("message_start", _start(entry, session))]
        case ToolCall():
            return _tool_call(entry)
        case ToolResult():
            return [("tool_result", _tool_result(entry))]
        case End():
            return [("message_end", _end(entry))]
        case _:
            return [_plain(entry)]


def _plain(entry: Text | Status | Data | Error) -> tuple[str, dict[str, Any]]:
    match entry:
        case Text(text=text):
            return "content_delta", {"delta": text}
        case Status(state=state, waiting_for=what, text=text):
            return "status", {"state": state, "waiting_for": what, "message": text}
        case Data(media_type=media_type, data=data, name=name):
            return "data", {"media_type": media_type, "data": data, "name": name}
        case _:
            told = {"code": entry.code, "message": entry.message, "details": entry.details}
            return "error", {**told, "usage": _usage(entry.usage)}


def _start(entry: Start, session: str) -> dict[str, Any]:
    return {
        "message_id": entry.run,
        "session_id": session,
        "run_id": entry.run,
        "agent": entry.agent,
        "attempt": entry.attempt,
        "keeps": entry.keeps,
        "answers": entry.message,
    }


def _tool_call(entry: ToolCall) -> list[tuple[str, dict[str, Any]]]:
    call = {
        "id": entry.id,
        "name": entry.name,
        "arguments": entry.arguments,
        "requires_approval": entry.approval is not None,
        "call_id": entry.call,
        **_state(entry.state),
    }
    if entry.approval is None or entry.state != tool_calls.State.PENDING:
        return [("tool_call", call)]
    asked = {"approval_request_id": entry.approval, "tool_call": call}
    return [("tool_call", call), ("approval_required", asked)]


def _tool_result(entry: ToolResult) -> dict[str, Any]:
    error = entry.error or {}
    return {
        "id": entry.id,
        "name": entry.name,
        "result": entry.result,
        "success": entry.state == tool_calls.State.COMPLETED,
        "error": entry.error,
        "error_message": error.get("message"),
        "call_id": entry.call,
        **_state(entry.state),
    }


def _end(entry: End) -> dict[str, Any]:
    return {
        "message_id": entry.message,
        "usage": _usage(entry.usage),
        "finish_reason": entry.finish_reason,
        "state": entry.state,
    }


def _state(state: str) -> dict[str, str]:
    return {"status": tool_calls.WORDS[tool_calls.State(state)], "state": state}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "requests": usage.requests,
        "cost": usage.cost,
    }
