"""What a provider says in the interface of Anthropic: named events of one message."""

import asyncio
import json
from typing import Any

from sessions.agent.adapter import Adapter
from sessions.agent.asking import Asking
from sessions.selectors.providers import Access
from tests.wire.asking import KEY
from tests.wire.provider import Behaviour, Wire

# The library warns of names that will be gone; this one never was.
MODEL = "claude-of-the-tests"

Event = tuple[str, dict[str, Any]]


def claude(url: str) -> Asking:
    """A model of the interface of Anthropic; it retries at once."""
    reached = Access(provider="anthropic", kind="anthropic", base_url=url, key=KEY)
    return Asking(Adapter(reached, MODEL), pace_seconds=0.001)


def begins(*, given: int = 11) -> Event:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": given, "output_tokens": 1},
    }
    return "message_start", {"message": message}


def text(place: int, *said: str) -> list[Event]:
    """A block of text in these pieces."""
    pieces = [{"type": "text_delta", "text": one} for one in said]
    return _block(place, {"type": "text", "text": ""}, pieces)


def call(place: int, *fragments: str, id: str, name: str) -> list[Event]:  # noqa: A002 -- the field's name
    """A block that asks for a tool, its arguments in these fragments."""
    begun = {"type": "tool_use", "id": id, "name": name, "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": one} for one in fragments]
    return _block(place, begun, pieces)


def _block(place: int, begun: dict[str, Any], pieces: list[dict[str, Any]]) -> list[Event]:
    return [
        ("content_block_start", {"index": place, "content_block": begun}),
        *(("content_block_delta", {"index": place, "delta": one}) for one in pieces),
        ("content_block_stop", {"index": place}),
    ]


def ends(reason: str = "end_turn", *, made: int = 7) -> list[Event]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        ("message_delta", {"delta": delta, "usage": {"output_tokens": made}}),
        ("message_stop", {}),
    ]


def says(*blocks: list[Event], reason: str = "end_turn", pause: float = 0.0) -> Behaviour:
    """Streams a message of these blocks and ends as it should; with a pause it drips."""

    async def behave(wire: Wire) -> None:
        await wire.head()
        events = [begins(), ("ping", {}), *(one for block in blocks for one in block)]
        for event in [*events, *ends(reason)]:
            await asyncio.sleep(pause)
            await _send(wire, event)
        await wire.send(b"0\r\n\r\n")

    return behave


def breaks_off(*events: Event, is_hanging: bool = False) -> Behaviour:
    """Says so much of a message, and then hangs up, or nothing more."""

    async def behave(wire: Wire) -> None:
        await wire.head()
        for event in (begins(), *events):
            await _send(wire, event)
        if is_hanging:
            await wire.reader.read()

    return behave


async def _send(wire: Wire, event: Event) -> None:
    name, data = event
    await wire.part(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n")


def refusal(type_: str, message: str) -> dict[str, Any]:
    """The body of a refusal, and the data of an event of that name."""
    return {"type": "error", "error": {"type": type_, "message": message}}
