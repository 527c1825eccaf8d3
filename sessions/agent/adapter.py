"""Models of providers, reached through pydantic-ai; importing it takes seconds."""

from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any, cast

from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    FilePart,
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from sessions.agent import clients, failures, translation
from sessions.agent.asking import Failure
from sessions.agent.protocol import (
    Completion,
    Limits,
    Media,
    MediaPart,
    Prompt,
    Said,
    Spent,
    TextDelta,
    ToolRequest,
)
from sessions.core import catalogue
from sessions.core.errors import LLMError
from sessions.selectors.providers import Access

REASONS = {"tool_call": "tool_calls"}


class Adapter:
    """One model of one provider; see :class:`sessions.agent.asking.Line`."""

    def __init__(self, access: Access, name: str) -> None:
        self.model = f"{access.provider}:{name}"
        self._access = access
        self._name = name

    async def attempt(self, prompt: Prompt, *, limits: Limits) -> AsyncGenerator[Said | None]:
        """One request; tools are asked for and never carried out here."""
        said = translation.messages(prompt)
        try:
            async with (
                clients.model(self._access, self._name, limits=limits) as model,
                model_request_stream(
                    model,
                    said,
                    model_settings=settings(prompt, limits),
                    model_request_parameters=ModelRequestParameters(
                        function_tools=translation.offered(prompt.tools)
                    ),
                ) as stream,
            ):
                async for event in stream:
                    yield piece(event)
                response = stream.get()
        except failures.CAUGHT as error:
            found = failures.failure(error, model=self.model, key=self._access.key)
            raise found from None
        yield self._completion(prompt, said, response)

    def _completion(
        self, prompt: Prompt, said: list[ModelMessage], response: ModelResponse
    ) -> Completion:
        if self._is_cut(response):
            raise Failure(LLMError("The answer broke off.", model=self.model), is_passing=True)
        reason = response.finish_reason or "stop"
        return Completion(
            text="".join(part.content for part in response.parts if isinstance(part, TextPart)),
            requests=self._requests(prompt, response),
            spent=self._spent(response),
            finish_reason=REASONS.get(reason, reason),
            media=tuple(_media(part) for part in response.parts if isinstance(part, FilePart)),
            history=translation.write([*said, response]),
        )

    def _is_cut(self, response: ModelResponse) -> bool:
        """Whether the connection ended before the answer did, as a proxy ends it: in silence."""
        if response.finish_reason == "error":
            return True
        return not (response.provider_details or {}).get("finish_reason")

    def _requests(self, prompt: Prompt, response: ModelResponse) -> tuple[ToolRequest, ...]:
        names = {translation.wire_name(one.name): one.name for one in prompt.tools}
        return tuple(
            ToolRequest(
                id=part.tool_call_id,
                tool=names.get(part.tool_name, part.tool_name),
                arguments=self._arguments(part),
            )
            for part in response.tool_calls
        )

    def _arguments(self, part: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = part.args_as_dict(raise_if_invalid=True)
        except (ValueError, AssertionError):
            error = LLMError(
                "The model asked for a tool with what is no JSON object.",
                model=self.model,
                tool=part.tool_name,
            )
            raise Failure(error, is_passing=True) from None
        return found

    def _spent(self, response: ModelResponse) -> Spent:
        return Spent(
            model=self.model,
            input_tokens=response.usage.input_tokens,
            output_tokens=response.usage.output_tokens,
            cost=cost(response) if self._access.has_known_prices else None,
        )


def settings(prompt: Prompt, limits: Limits) -> ModelSettings:
    """
    What the request asks of the model, from the settings of agent and run and the limits.

    :raises ValidationFailed: for a setting that cannot be
    """
    said = catalogue.settings(prompt.settings)
    found: dict[str, Any] = {name: said[name] for name in catalogue.MODEL_SETTINGS & said.keys()}
    if limits.temperature is not None:
        found["temperature"] = limits.temperature
    most = said.get("max_output_tokens", limits.max_output_tokens)
    return cast(ModelSettings, {**found, "max_tokens": min(most, limits.max_output_tokens)})


def piece(event: ModelResponseStreamEvent) -> Said | None:
    """What an event adds to the answer; None if it only shows that the model is at work."""
    match event:
        case PartStartEvent(part=TextPart(content=text)) if text:
            return TextDelta(text)
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
            return TextDelta(text)
        case PartStartEvent(part=FilePart() as file):
            return MediaPart(_media(file))
    return None


def cost(response: ModelResponse) -> Decimal | None:
    """US dollars by the price list that came with the library; None for an unknown model."""
    try:
        return response.cost().total_price
    except (LookupError, ValueError, AssertionError):
        return None


def _media(part: FilePart) -> Media:
    return Media(media_type=part.content.media_type, data=part.content.data, name=part.id or "")
