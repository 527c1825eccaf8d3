"""Asking a model at a provider of these tests."""

from contextlib import aclosing
from typing import Any

from aegis_project.kit.errors import AegisError
from sessions.agent.adapter import Adapter
from sessions.agent.asking import Asking
from sessions.agent.protocol import Completion, Limits, Prompt, Said, Turn
from sessions.core.conversation import Role
from sessions.selectors.providers import Access
from tests.wire.provider import MODEL, Provider

KEY = "sk-very-secret-0123456789"
LIMITS = Limits()


def own(url: str) -> Asking:
    """A model at an address that speaks OpenAI's interface; it retries at once."""
    reached = Access(provider="own", kind="openai", base_url=f"{url}/v1", key=KEY)
    return Asking(Adapter(reached, MODEL), pace_seconds=0.001)


def azure(url: str) -> Asking:
    """A deployment of Azure's."""
    reached = Access(
        provider="azure", kind="azure", base_url=url, api_version="2024-10-21", key=KEY
    )
    return Asking(Adapter(reached, "mine"), pace_seconds=0.001)


def asked(text: str = "Hello", **more: Any) -> Prompt:
    return Prompt(instructions="Be brief.", turns=[Turn(Role.USER, text)], **more)


async def heard(
    service: Asking, prompt: Prompt | None = None, *, limits: Limits = LIMITS
) -> tuple[list[Said], AegisError | None]:
    """The pieces that came, and the error that ended them."""
    pieces: list[Said] = []
    try:
        async with aclosing(service.stream(prompt or asked(), limits=limits)) as stream:
            async for piece in stream:
                pieces.append(piece)  # noqa: PERF401 -- those before an error count
    except AegisError as error:
        return pieces, error
    return pieces, None


async def completed(at: Provider, prompt: Prompt | None = None) -> Completion:
    return await own(at.url).complete(prompt or asked(), limits=LIMITS)
