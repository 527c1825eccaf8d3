"""What is asked of a language model, and what it says: the seam between Aegis and providers."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

from sessions.core.turns import Media, ToolRequest, Turn

__all__ = [
    "Completion",
    "History",
    "LLMServiceProtocol",
    "Limits",
    "Media",
    "MediaPart",
    "Prompt",
    "Said",
    "Spent",
    "TextDelta",
    "ToolOffer",
    "ToolRequest",
    "Turn",
]


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool that the model may ask for; ``parameters`` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take: seconds, and tokens of the answer."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 60.0
    idle_seconds: float = 30.0
    total_seconds: float = 600.0
    max_output_tokens: int = 4096
    attempts: int = 3
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class History:
    """
    A conversation as an adapter keeps it, for itself to go on with.

    ``format`` names the adapter and the version of its library; another one ignores it.
    """

    format: str
    body: bytes


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A piece of the answer that is not text."""

    media: Media


@dataclass(frozen=True, slots=True)
class Spent:
    """What a request took, as its provider said; ``cost`` is US dollars, None if unknown."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """
    The end of one request: the whole text, and the tools asked for.

    ``finish_reason`` is stop, tool_calls, length or content_filter.
    """

    text: str
    requests: tuple[ToolRequest, ...]
    spent: Spent
    finish_reason: str = "stop"
    media: tuple[Media, ...] = ()
    history: History | None = None


Said: TypeAlias = TextDelta | MediaPart | Completion


@dataclass(frozen=True, slots=True)
class Prompt:
    """
    All that a model is told.

    ``turns`` is the conversation so far, to its last entry. ``history`` covers the first
    ``covered`` of them for the adapter that wrote it.
    """

    instructions: str
    turns: Sequence[Turn]
    tools: Sequence[ToolOffer] = ()
    history: History | None = None
    covered: int = 0
    settings: dict[str, Any] = field(default_factory=dict)


class LLMServiceProtocol(Protocol):
    """
    A language model.

    One call is one request: tools are asked for and never carried out here. Both raise
    :class:`sessions.core.errors.LLMError`, ``LLMTimeout``, ``TokenLimit`` or
    :class:`aegis_project.kit.errors.RateLimited`, after ``Limits.attempts`` tries, of which none
    begins once the first piece of an answer was passed on.
    """

    model: str

    async def complete(self, prompt: Prompt, *, limits: Limits) -> Completion:
        """The whole answer at once."""
        ...

    def stream(self, prompt: Prompt, *, limits: Limits) -> AsyncIterator[Said]:
        """The pieces of the answer as they come; its :class:`Completion` is the last."""
        ...
