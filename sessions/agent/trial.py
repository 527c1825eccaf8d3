"""One short question to a model, of which nothing is kept but what it took."""

from typing import Any

from sessions.agent.protocol import Completion, Limits, Prompt, Turn
from sessions.core.conversation import Role
from sessions.models import Agent

QUESTION = "Say hello in one sentence."
# Somebody waits for it, and it is to cost next to nothing.
LIMITS = Limits(first_token_seconds=30, total_seconds=60, max_output_tokens=300, attempts=1)


def prompt(agent: Agent, question: str = QUESTION) -> Prompt:
    """What a model is asked; tools are not offered."""
    return Prompt(
        instructions=agent.instructions,
        turns=[Turn(Role.USER, question)],
        settings=agent.settings,
    )


def summary(found: Completion) -> dict[str, Any]:
    """What it took, without what was said."""
    spent = found.spent
    return {
        "model": spent.model,
        "finish_reason": found.finish_reason,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost": None if spent.cost is None else f"{spent.cost:f}",
    }
