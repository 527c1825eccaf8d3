"""What the errors of pydantic-ai are in the catalogue, without a word of what was sent."""

from typing import Any

from pydantic_ai import exceptions

from aegis_project.kit.errors import AegisError, RateLimited
from sessions.agent.asking import Failure
from sessions.core.errors import LLMError, LLMTimeout, TokenLimit

LONGEST_MESSAGE = 300
HIDDEN = "•••"

# From the particular to the general: the sentence, and whether it may pass.
KINDS: tuple[tuple[type[Exception], type[AegisError], str, bool], ...] = (
    (
        exceptions.ModelContextWindowExceededError,
        TokenLimit,
        "The conversation is longer than the model takes.",
        False,
    ),
    (exceptions.ModelRateLimitError, RateLimited, "The provider asks to wait.", True),
    (exceptions.ModelQuotaExceededError, LLMError, "The provider's account is used up.", False),
    (exceptions.ModelAuthenticationError, LLMError, "The provider refused the key.", False),
    (exceptions.ModelNotFoundError, LLMError, "The provider knows no such model.", False),
    (exceptions.ModelRequestRejectedError, LLMError, "The provider refused the request", False),
    (exceptions.ModelTimeoutError, LLMTimeout, "The provider did not answer in time.", True),
    (
        exceptions.ModelConnectionError,
        LLMError,
        "The connection to the provider failed or broke off.",
        True,
    ),
    (exceptions.ModelUnavailableError, LLMError, "The provider is not available now.", True),
    (exceptions.ModelServerError, LLMError, "The provider failed", True),
    (exceptions.ModelAPIError, LLMError, "The provider's answer cannot be read.", True),
    (exceptions.UnexpectedModelBehavior, LLMError, "The provider's answer cannot be read.", True),
    (exceptions.UserError, LLMError, "The model cannot be asked like this", False),
)
CAUGHT = (exceptions.AgentRunError, exceptions.UserError)


def failure(error: Exception, *, model: str, key: str) -> Failure:
    """The failure of an attempt that an error of the library means."""
    _, kind, sentence, is_passing = next(one for one in KINDS if isinstance(error, one[0]))
    wait = getattr(error, "retry_after", None)
    details: dict[str, Any] = {"model": model}
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        details["status"] = status
    if wait is not None:
        details["retry_after"] = wait
    if not sentence.endswith("."):
        said = _said(error, key)
        sentence = f"{sentence}: {said}" if said else f"{sentence}."
    return Failure(kind(sentence, **details), is_passing=is_passing, wait_seconds=wait)


def _said(error: Exception, key: str) -> str:
    """What the provider says itself, shortened, and without the key should it repeat it."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    if isinstance(error, exceptions.UserError):
        message = str(error)
    if not isinstance(message, str):
        return ""
    hidden = message.replace(key, HIDDEN) if key else message
    return " ".join(hidden.split())[:LONGEST_MESSAGE]
