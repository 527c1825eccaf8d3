"""One short question to a model, of which nothing is kept."""

from sessions.agent.protocol import Limits, Prompt, Turn
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
