"""Conversations in the words of pydantic-ai: turns there, histories there and back."""

import hashlib
import re
from collections.abc import Iterator, Sequence

import pydantic
import pydantic_ai
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition

from sessions.agent.protocol import History, Media, Prompt, ToolOffer, Turn
from sessions.core.conversation import Role

FORMAT = f"pydantic-ai/{pydantic_ai.__version__}"
# Histories of other versions are read while the golden files of tests/wire say that they can be.
READABLE = re.compile(r"pydantic-ai/2\.\d+\.\d+")
SHOWN = re.compile(r"image/(?:png|jpeg|gif|webp)|application/pdf|audio/(?:wav|x-wav|mpeg)")
WIRE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
UNANSWERED = "This call was not carried out."


def messages(prompt: Prompt) -> list[ModelMessage]:
    """The conversation for a request: the history as far as it goes, then the turns after it."""
    before = read(prompt.history) if prompt.history else None
    known = {one.id: one.tool for turn in prompt.turns for one in turn.requests}
    if before is None:
        found = list(_grouped(prompt.turns, known))
    else:
        rest = prompt.turns[prompt.covered :]
        asked = [one.id for turn in prompt.turns[: prompt.covered][-1:] for one in turn.requests]
        found = [*before, *_grouped(rest, known, open_calls=asked)]
    return _instructed(found, prompt.instructions)


def _instructed(found: list[ModelMessage], instructions: str) -> list[ModelMessage]:
    """The last request carries what the model is told to be."""
    for one in reversed(found):
        if isinstance(one, ModelRequest):
            one.instructions = instructions or None
            return found
    return [*found, ModelRequest(parts=[], instructions=instructions or None)]


def write(found: Sequence[ModelMessage]) -> History:
    """A conversation as it is kept for the requests to come."""
    return History(format=FORMAT, body=ModelMessagesTypeAdapter.dump_json(list(found)))


def read(history: History) -> list[ModelMessage] | None:
    """The messages of a history; None if another adapter or another library wrote it."""
    if not READABLE.fullmatch(history.format):
        return None
    try:
        return ModelMessagesTypeAdapter.validate_json(history.body)
    except pydantic.ValidationError:
        return None


def _grouped(
    turns: Sequence[Turn], known: dict[str, str], open_calls: Sequence[str] = ()
) -> Iterator[ModelMessage]:
    """Each answer by itself, and in one request whatever stands between two answers."""
    waiting, parts = list(open_calls), list[ModelRequestPart]()
    for turn in turns:
        if turn.role == Role.TOOL:
            # Providers refuse an answer to what was not asked, and a second one.
            if turn.answers in waiting:
                waiting.remove(turn.answers)
                parts.append(_returned(turn, known))
            continue
        parts.extend(_unanswered(waiting, known))
        waiting = []
        if turn.role == Role.ASSISTANT:
            if parts:
                yield ModelRequest(parts=parts)
            parts = []
            waiting = [one.id for one in turn.requests]
            yield ModelResponse(parts=list(_answer(turn)))
        else:
            parts.append(_spoken(turn))
    parts.extend(_unanswered(waiting, known))
    if parts:
        yield ModelRequest(parts=parts)


def _unanswered(waiting: Sequence[str], known: dict[str, str]) -> Iterator[ModelRequestPart]:
    for one in waiting:
        yield ToolReturnPart(
            tool_name=wire_name(known.get(one, "tool")),
            content=UNANSWERED,
            tool_call_id=one,
            outcome="failed",
        )


def _returned(turn: Turn, known: dict[str, str]) -> ModelRequestPart:
    return ToolReturnPart(
        tool_name=wire_name(known.get(turn.answers, "tool")),
        content=turn.content,
        tool_call_id=turn.answers,
        outcome="failed" if turn.is_error else "success",
    )


def _answer(turn: Turn) -> Iterator[ModelResponsePart]:
    if turn.content:
        yield TextPart(content=turn.content)
    for one in turn.requests:
        yield ToolCallPart(tool_name=wire_name(one.tool), args=one.arguments, tool_call_id=one.id)


def _spoken(turn: Turn) -> ModelRequestPart:
    if turn.role == Role.SYSTEM:
        return SystemPromptPart(content=turn.content)
    if not turn.media:
        return UserPromptPart(content=turn.content)
    said: list[UserContent] = [turn.content] if turn.content else []
    return UserPromptPart(content=[*said, *(_shown(one) for one in turn.media)])


def _shown(media: Media) -> UserContent:
    if SHOWN.fullmatch(media.media_type):
        return BinaryContent(data=media.data, media_type=media.media_type)
    return f"[{media.name or 'a file'}: {media.media_type}, {len(media.data)} bytes, not shown]"


def offered(tools: Sequence[ToolOffer]) -> list[ToolDefinition]:
    """The tools of a request, in the names that every provider takes."""
    return [
        ToolDefinition(
            name=wire_name(one.name),
            description=one.description,
            parameters_json_schema=one.parameters,
            strict=False,
        )
        for one in tools
    ]


def wire_name(name: str) -> str:
    """A tool's name in 64 letters, digits, ``_`` and ``-``: its own, or one that is as unique."""
    if WIRE_NAME.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)[:55]}-{mark}"
