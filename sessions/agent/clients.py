"""Clients of the providers' interfaces; each lives for one request and tries it once."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx2
from openai import AsyncAzureOpenAI, AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from aegis_project import outward
from aegis_project.kit.errors import AddressRefused, Unreachable
from sessions.agent.asking import Failure
from sessions.agent.protocol import Limits
from sessions.core.errors import LLMError
from sessions.selectors.providers import Access

OPENAI = "https://api.openai.com/v1"
# Who listens at an address of one's own may want no key; the library wants a text.
NO_KEY = "none"


@asynccontextmanager
async def model(access: Access, name: str, *, limits: Limits) -> AsyncIterator[Model]:
    """
    A model that can be asked once.

    :raises Failure: if its library is not installed, or its address may not be reached
    """
    longest = max(limits.first_token_seconds, limits.idle_seconds)
    timeout = httpx2.Timeout(longest, connect=limits.connect_seconds)
    made = await _guarded(access, name) if access.is_guarded else {"verify": _tls()}
    async with httpx2.AsyncClient(timeout=timeout, **made) as client:
        yield KINDS[access.kind](access, name, client)


async def _guarded(access: Access, name: str) -> dict[str, Any]:
    bounds = outward.allowed(hosts=("*",))
    try:
        await outward.check(access.base_url, bounds=bounds)
    except AddressRefused as refused:
        error = LLMError(f"{access.provider}: {refused.message}", model=name)
        raise Failure(error, is_passing=False) from None
    except Unreachable as unknown:
        error = LLMError(f"{access.provider}: {unknown.message}", model=name)
        raise Failure(error, is_passing=True) from None
    return {"transport": outward.Guarded(bounds), "trust_env": False}


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than all else that a client does when it is made.
    return httpx2.create_ssl_context()


def _openai(access: Access, name: str, client: httpx2.AsyncClient) -> Model:
    reached = AsyncOpenAI(
        base_url=access.base_url or OPENAI,
        api_key=access.key or NO_KEY,
        max_retries=0,
        http_client=client,
    )
    if access.base_url:
        return OpenAIChatModel(
            name, provider=OpenAICompatibleProvider(access.provider, openai_client=reached)
        )
    return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=reached))


def _azure(access: Access, name: str, client: httpx2.AsyncClient) -> Model:
    reached = AsyncAzureOpenAI(
        azure_endpoint=access.base_url,
        azure_deployment=name,
        api_version=access.api_version,
        api_key=access.key,
        max_retries=0,
        http_client=client,
    )
    return OpenAIChatModel(name, provider=AzureProvider(openai_client=reached))


def _anthropic(access: Access, name: str, client: httpx2.AsyncClient) -> Model:
    try:
        from anthropic import AsyncAnthropic  # noqa: PLC0415 -- optional dependency
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415 -- optional dependency
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415 -- optional dependency
    except ImportError:
        error = LLMError(
            "Models of Anthropic need its library: install aegis[anthropic].", model=name
        )
        raise Failure(error, is_passing=False) from None
    given: dict[str, Any] = {"base_url": access.base_url} if access.base_url else {}
    reached = AsyncAnthropic(api_key=access.key, max_retries=0, http_client=client, **given)
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=reached))


KINDS = {"openai": _openai, "azure": _azure, "anthropic": _anthropic}
