"""The model that needs no provider: it says what a script says, the same each time."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal

from sessions.agent.protocol import Completion, Limits, MediaPart, Prompt, Said, Spent, TextDelta
from sessions.agent.scripts import Reply, Script, step_of

# Pieces without a pause that follow each other before anybody else has a turn.
TOGETHER = 16
TOKEN = re.compile(r"\S+\s*|\s+")


class Scripted:
    """
    A language model made of a :data:`sessions.agent.scripts.Script`.

    The prompt's settings may say ``script`` instead: the name of another script or its steps, for
    the runs of tests and demonstrations. ``pause_seconds`` is the time between two pieces.
    """

    def __init__(self, name: str, script: Script) -> None:
        self.model = f"scripted:{name}"
        self._script = script

    async def complete(self, prompt: Prompt, *, limits: Limits) -> Completion:
        """The whole answer at once."""
        # The completion is the last piece of every stream.
        pieces = [piece async for piece in self.stream(prompt, limits=limits)]
        last = pieces[-1]
        assert isinstance(last, Completion)  # noqa: S101 -- see above
        return last

    async def stream(self, prompt: Prompt, *, limits: Limits) -> AsyncIterator[Said]:
        """The pieces of the answer, one token each, then its completion."""
        reply = step_of(prompt, otherwise=self._script)
        pieces = tokens(reply)
        allowed = pieces[: limits.max_output_tokens]
        for number, piece in enumerate(allowed):
            if reply.error is not None and number == reply.after:
                raise reply.error
            # Also without a pause: whoever else lives in this loop has its turn.
            if reply.pause_seconds or number % TOGETHER == 0:
                await asyncio.sleep(reply.pause_seconds)
            yield TextDelta(piece)
        if reply.error is not None:
            raise reply.error
        for one in reply.media:
            yield MediaPart(one)
        is_cut = len(allowed) < len(pieces)
        yield Completion(
            text="".join(allowed),
            requests=reply.requests,
            spent=self._spent(prompt, reply, len(allowed)),
            finish_reason="length" if is_cut else reply.finish_reason or _reason(reply),
            media=reply.media,
        )

    def _spent(self, prompt: Prompt, reply: Reply, said: int) -> Spent:
        """A word counts as a token; it costs nothing unless the script says otherwise."""
        heard = len(prompt.instructions.split())
        heard += sum(len(turn.content.split()) for turn in prompt.turns)
        return Spent(
            model=self.model,
            input_tokens=heard if reply.input_tokens is None else reply.input_tokens,
            output_tokens=said if reply.output_tokens is None else reply.output_tokens,
            cost=reply.cost or Decimal(0),
        )


def _reason(reply: Reply) -> str:
    return "tool_calls" if reply.requests else "stop"


def tokens(reply: Reply) -> Sequence[str]:
    """The pieces of a reply: its words with the blanks around them, or so many as it counts."""
    if reply.chunks is not None:
        return list(_counted(reply.text, reply.chunks))
    return TOKEN.findall(reply.text)


def _counted(text: str, chunks: int) -> Iterator[str]:
    return (f"{text}{number} " for number in range(1, chunks + 1))
