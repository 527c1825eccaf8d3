"""An agent of google-adk whose model says fifty words."""

from collections.abc import AsyncGenerator

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.genai import types

WORDS = [f"word{number} " for number in range(50)]


def said(text: str, *, is_part: bool) -> LlmResponse:
    """A piece of an answer, or the whole."""
    content = types.Content(role="model", parts=[types.Part(text=text)])
    return LlmResponse(content=content, partial=is_part)


class Words(BaseLlm):
    """A model that costs nothing."""

    async def generate_content_async(
        self,
        llm_request: LlmRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 -- as its base has it
    ) -> AsyncGenerator[LlmResponse, None]:
        if stream:
            for word in WORDS:
                yield said(word, is_part=True)
        yield said("".join(WORDS), is_part=False)


root_agent = LlmAgent(name="assistant", model=Words(model="words"), instruction="Answer.")
