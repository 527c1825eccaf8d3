"""The log of a run as the stream of seed 002: chunks, of which the last is final."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sessions.core import runs, tool_calls
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
)
from sessions.core.tasks import moment

UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Chunk(Struct, frozen=True, kw_only=True, rename="camel"):
    """
    One piece of a task.

    ``id`` is where it stands in the log of its run: who brings it back as ``after`` goes on
    behind it. Chunks about where a run stands say so in our words, too.
    """

    task_id: str
    chunk_type: str
    content: Any
    timestamp: str
    final: bool
    id: str | UnsetType = UNSET
    aegis_state: str | UnsetType = UNSET


def chunks(entries: Iterable[Numbered], *, task: str, session: str) -> list[Chunk]:
    """One chunk for each entry of the run that its client calls ``task``."""
    return [_chunk(one, task=task, session=session) for one in entries]


def failure(*, task: str, error: dict[str, Any], at: datetime) -> Chunk:
    """The only chunk of a task that did not come to be; ``error`` has code, message, details."""
    return Chunk(task_id=task, chunk_type="error", content=error, timestamp=moment(at), final=True)


def encode(chunk: Chunk) -> str:
    """A chunk as the text of its frame."""
    return msgspec.json.encode(chunk).decode()


def _chunk(one: Numbered, *, task: str, session: str) -> Chunk:
    kind, content = _content(one.entry, session)
    state = getattr(one.entry, "state", "") if isinstance(one.entry, End | Status) else ""
    return Chunk(
        task_id=task,
        chunk_type=kind,
        content=content,
        timestamp=moment(UNIX + timedelta(milliseconds=one.ts)),
        final=kind in {"done", "error"},
        id=str(one.seq),
        aegis_state=state or UNSET,
    )


def _content(entry: AnyEntry, session: str) -> tuple[str, Any]:
    match entry:
        case Text(text=text):
            return "text", text
        case Start():
            return "metadata", _start(entry, session)
        case Status(state=state, waiting_for=what, text=text):
            word = runs.TASK_WORDS[runs.State(state)]
            return "metadata", {"status": word, "waitingFor": what, "message": text}
        case End():
            return "done", None
        case Error(code=code, message=message, details=details):
            return "error", {"code": code, "message": message, "details": details}
        case _:
            return "data", _data(entry)


def _start(entry: Start, session: str) -> dict[str, Any]:
    return {
        "sessionId": session,
        "agentId": entry.agent,
        "runId": entry.run,
        "status": "running",
        "attempt": entry.attempt,
        "keeps": str(entry.keeps),
    }


def _data(entry: Data | ToolCall | ToolResult) -> dict[str, Any]:
    if isinstance(entry, Data):
        found = {"type": entry.media_type, "encoding": "base64", "content": entry.data}
        return {**found, "name": entry.name} if entry.name else found
    shared = {
        "id": entry.id,
        "callId": entry.call,
        "name": entry.name,
        "status": tool_calls.WORDS[tool_calls.State(entry.state)],
        "aegisState": entry.state,
    }
    if isinstance(entry, ToolCall):
        asked = {"arguments": entry.arguments, "approvalId": entry.approval}
        return {"type": "tool_call", **shared, **asked}
    return {"type": "tool_result", **shared, "result": entry.result, "error": entry.error}
