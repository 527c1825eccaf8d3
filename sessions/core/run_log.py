"""
What stands in the log of a run (``runs.<id>``), from which every rendering of it is made.

Each entry is one record, a JSON object whose ``type`` names its kind. An attempt replaces what the
one before said since it last came to a safe point; ``end`` or ``error`` is the last entry of a run
and stands there once.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

PREFIX = "runs."
"""How the name of a run's log begins; its UUID follows."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=False):
    """The ground of all entries."""


class Start(Entry, frozen=True, kw_only=True, tag="start"):
    """
    An attempt begins: of the records before this one, those after the ``seq`` ``keeps`` are void.

    ``task`` is the label its client gave, ``message`` the id of the message that it answers.
    """

    run: str
    agent: str
    attempt: int
    keeps: int
    task: str = ""
    message: str | None = None


class Text(Entry, frozen=True, kw_only=True, tag="text"):
    """A piece of the answer."""

    text: str


class Data(Entry, frozen=True, kw_only=True, tag="data"):
    """A piece that is not text: base64, with its media type."""

    media_type: str
    data: str
    name: str = ""


class ToolCall(Entry, frozen=True, kw_only=True, tag="tool_call"):
    """The agent asks for a tool; ``approval`` is the id of the decision it waits for, if any."""

    id: str
    call: str
    name: str
    arguments: dict[str, Any]
    state: str
    approval: str | None = None


class ToolResult(Entry, frozen=True, kw_only=True, tag="tool_result"):
    """What came of a tool call, whatever its ``state``: a result, or an error in words."""

    id: str
    call: str
    name: str
    state: str
    result: Any = None
    error: dict[str, Any] | None = None


class Status(Entry, frozen=True, kw_only=True, tag="status"):
    """The run stands elsewhere: waiting and for what, or working again."""

    state: str
    waiting_for: str = ""
    text: str = ""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has used so far: tokens, requests to models, US dollars as a decimal text."""

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost: str = "0"


class End(Entry, frozen=True, kw_only=True, tag="end"):
    """The run is over without an error: completed or cancelled."""

    state: str
    message: str | None
    finish_reason: str
    usage: Usage


class Error(Entry, frozen=True, kw_only=True, tag="error"):
    """The run failed: a code of the catalogue."""

    code: str
    message: str
    details: dict[str, Any]
    usage: Usage


AnyEntry: TypeAlias = Start | Text | Data | ToolCall | ToolResult | Status | End | Error

decode = msgspec.json.Decoder(AnyEntry).decode
encode = msgspec.json.Encoder().encode


def name_of(run_id: object) -> str:
    """The name of a run's log."""
    return f"{PREFIX}{run_id}"


def text_of(entries: Iterable[Entry]) -> str:
    """What was said in these entries since the last attempt among them began."""
    pieces: list[str] = []
    for entry in entries:
        if isinstance(entry, Start):
            pieces.clear()
        elif isinstance(entry, Text):
            pieces.append(entry.text)
    return "".join(pieces)
