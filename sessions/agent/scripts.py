"""What scripted models say: scripts by name, and the steps that one request may bring along."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import AegisError, RateLimited, ValidationFailed
from sessions.agent.protocol import Media, Prompt, ToolRequest, Turn
from sessions.core.conversation import Role
from sessions.core.errors import LLMError, LLMTimeout, TokenLimit

MOST_CHUNKS = 100_000
LONGEST_PAUSE_SECONDS = 60.0
FAILURES: dict[str, type[AegisError]] = {
    kind.code: kind for kind in (LLMError, LLMTimeout, RateLimited, TokenLimit)
}


@dataclass(frozen=True, slots=True)
class Reply:
    """
    One answer of a scripted model.

    With ``chunks`` it is so many pieces, each ``text`` and its number. ``error`` is raised when
    ``after`` pieces were said. Without tokens of its own, its words are counted.
    """

    text: str = ""
    chunks: int | None = None
    requests: tuple[ToolRequest, ...] = ()
    media: tuple[Media, ...] = ()
    error: AegisError | None = None
    after: int = 0
    pause_seconds: float = 0.0
    finish_reason: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None


Script: TypeAlias = Callable[[Prompt], Reply]
"""What is answered to a prompt; equal prompts have equal answers."""

_scripts: dict[str, Script] = {}


def register(name: str, script: Script) -> None:
    """Let ``scripted:NAME`` be a model; a later one of the same name takes its place."""
    _scripts[name] = script


def names() -> list[str]:
    """The scripts there are."""
    return sorted(_scripts)


def find(name: str) -> Script:
    """
    The script of this name.

    :raises ValidationFailed: if there is none
    """
    if name not in _scripts:
        raise ValidationFailed(f"There is no script {name}.", fields=["script"], known=names())
    return _scripts[name]


class Call(Struct, kw_only=True, forbid_unknown_fields=True):
    """A tool that a step asks for."""

    tool: str
    arguments: dict[str, Any] = {}
    id: str = ""


class File(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file that a step makes; ``data`` is base64."""

    media_type: str
    data: str
    name: str = ""


class Failure(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a step fails, when it has said ``after`` pieces."""

    code: Literal["LLM_ERROR", "LLM_TIMEOUT", "RATE_LIMITED", "TOKEN_LIMIT"] = "LLM_ERROR"
    message: str = ""
    after: int = 0


class Step(Struct, kw_only=True, forbid_unknown_fields=True):
    """What one request of a run is answered with."""

    text: str = ""
    chunks: Annotated[int, Meta(ge=0, le=MOST_CHUNKS)] | None = None
    pause_seconds: Annotated[float, Meta(ge=0, le=LONGEST_PAUSE_SECONDS)] = 0.0
    tools: list[Call] = []
    media: list[File] = []
    error: Failure | None = None
    finish_reason: Literal["", "stop", "length", "content_filter"] = ""
    input_tokens: Annotated[int, Meta(ge=0)] | None = None
    output_tokens: Annotated[int, Meta(ge=0)] | None = None
    cost: Decimal | None = None


def step_of(prompt: Prompt, *, otherwise: Script) -> Reply:
    """
    What is answered now: by the prompt's own ``script``, else by the one of the model.

    Of steps, it is the one whose number is that of the answers since the last user spoke, so a run
    that begins again goes on where it stood. After the last step the results of tools are told.
    In a text, ``{attempt}`` stands for the ``attempt`` of the settings.

    :raises ValidationFailed: if the script is none
    """
    script, pause = prompt.settings.get("script"), prompt.settings.get("pause_seconds", 0.0)
    if script is None:
        return _paced(otherwise(prompt), pause)
    if isinstance(script, str):
        return _paced(find(script)(prompt), pause)
    steps, number = _read(script), answers_given(prompt)
    if number >= len(steps):
        return _paced(Reply(text=results_told(prompt) or "Done."), pause)
    attempt = str(prompt.settings.get("attempt", 1))
    return _paced(_reply(steps[number], number=number, attempt=attempt), pause)


def answers_given(prompt: Prompt) -> int:
    """How often the model was heard since the last user spoke."""
    return sum(turn.role == Role.ASSISTANT for turn in since_user(prompt))


def since_user(prompt: Prompt) -> list[Turn]:
    """The turns after the last of a user."""
    turns: list[Turn] = []
    for turn in reversed(prompt.turns):
        if turn.role == Role.USER:
            break
        turns.append(turn)
    return turns[::-1]


def results_told(prompt: Prompt) -> str:
    """What tools answered since the last user spoke, a line each; empty without any."""
    turns = since_user(prompt)
    asked = {one.id: one.tool for turn in turns for one in turn.requests}
    lines = [
        f"{asked.get(turn.answers, 'tool')} {'failed' if turn.is_error else 'says'}: {turn.content}"
        for turn in turns
        if turn.role == Role.TOOL
    ]
    return "\n".join(lines)


def _paced(reply: Reply, pause: Any) -> Reply:
    if reply.pause_seconds or not isinstance(pause, int | float) or pause <= 0:
        return reply
    return replace(reply, pause_seconds=min(float(pause), LONGEST_PAUSE_SECONDS))


def _read(script: Any) -> list[Step]:
    try:
        return msgspec.convert(script, list[Step])
    except msgspec.ValidationError as error:
        raise ValidationFailed(f"The script is none: {error}.", fields=["script"]) from None


def _reply(step: Step, *, number: int, attempt: str) -> Reply:
    failure = step.error
    return Reply(
        text=step.text.replace("{attempt}", attempt),
        chunks=step.chunks,
        requests=tuple(
            ToolRequest(one.id or f"call-{number + 1}-{place + 1}", one.tool, one.arguments)
            for place, one in enumerate(step.tools)
        ),
        media=tuple(_media(one) for one in step.media),
        error=FAILURES[failure.code](failure.message) if failure else None,
        after=failure.after if failure else 0,
        pause_seconds=step.pause_seconds,
        finish_reason=step.finish_reason,
        input_tokens=step.input_tokens,
        output_tokens=step.output_tokens,
        cost=step.cost,
    )


def _media(file: File) -> Media:
    try:
        data = base64.b64decode(file.data, validate=True)
    except binascii.Error:
        raise ValidationFailed("A file of the script is not base64.", fields=["script"]) from None
    return Media(media_type=file.media_type, data=data, name=file.name)
