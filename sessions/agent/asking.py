"""How providers are asked: within deadlines, and again when nothing was heard yet."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Protocol

from aegis_project.kit.errors import AegisError
from sessions.agent.protocol import Completion, Limits, Prompt, Said
from sessions.core.errors import LLMTimeout

logger = logging.getLogger(__name__)

PACE_SECONDS = 0.5
# Who is told to wait longer is told so, and does not wait here.
LONGEST_WAIT_SECONDS = 30.0
_chance = secrets.SystemRandom()


class Failure(Exception):
    """
    An attempt failed with an error of the catalogue.

    ``is_passing``: the same request may succeed a moment later, or after ``wait_seconds``.
    """

    def __init__(
        self, error: AegisError, *, is_passing: bool, wait_seconds: float | None = None
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.is_passing = is_passing
        self.wait_seconds = wait_seconds


class Line(Protocol):
    """A provider's model: one request, without patience of its own."""

    model: str

    def attempt(self, prompt: Prompt, *, limits: Limits) -> AsyncGenerator[Said | None]:
        """
        The pieces as they come, its completion last; None for a sign of life that is no piece.

        :raises Failure: when it fails
        """
        ...


class Asking:
    """The service that a line becomes with the deadlines and attempts of the limits."""

    def __init__(self, line: Line, *, pace_seconds: float = PACE_SECONDS) -> None:
        self.model = line.model
        self._line = line
        self._pace = pace_seconds

    async def complete(self, prompt: Prompt, *, limits: Limits) -> Completion:
        """The whole answer at once."""
        pieces = [piece async for piece in self.stream(prompt, limits=limits)]
        last = pieces[-1]
        # A line ends with its completion, or with a failure.
        assert isinstance(last, Completion)  # noqa: S101 -- see above
        return last

    async def stream(self, prompt: Prompt, *, limits: Limits) -> AsyncGenerator[Said]:
        """The pieces of the answer as they come; its completion is the last."""
        ends_at = asyncio.get_running_loop().time() + limits.total_seconds
        for number in range(1, limits.attempts + 1):
            is_heard = False
            try:
                async with aclosing(self._pieces(prompt, limits, ends_at)) as pieces:
                    async for piece in pieces:
                        is_heard = True
                        yield piece
            except Failure as failure:
                pause = self._pause(failure, number)
                is_last = is_heard or number == limits.attempts or not failure.is_passing
                if is_last or self._is_late(pause, ends_at):
                    # What a provider's library knows of the request stays out of our logs.
                    raise failure.error from None
                logger.warning(
                    "A model is asked again",
                    extra={"model": self.model, "code": failure.error.code, "attempt": number},
                )
                await asyncio.sleep(pause)
            else:
                return

    async def _pieces(self, prompt: Prompt, limits: Limits, ends_at: float) -> AsyncGenerator[Said]:
        wait, what = limits.first_token_seconds, "begin to answer"
        async with aclosing(self._line.attempt(prompt, limits=limits)) as signs:
            while True:
                try:
                    sign = await self._next(signs, wait, ends_at)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    error = LLMTimeout(f"The model did not {what} in time.", model=self.model)
                    raise Failure(error, is_passing=True) from None
                wait, what = limits.idle_seconds, "go on"
                if sign is not None:
                    yield sign

    async def _next(
        self, signs: AsyncIterator[Said | None], wait: float, ends_at: float
    ) -> Said | None:
        left = ends_at - asyncio.get_running_loop().time()
        async with asyncio.timeout(max(0.0, min(wait, left))):
            return await anext(signs)

    def _pause(self, failure: Failure, number: int) -> float:
        if failure.wait_seconds is not None:
            return failure.wait_seconds
        return self._pace * 2.0 ** (number - 1) * _chance.uniform(0.5, 1.0)

    def _is_late(self, pause: float, ends_at: float) -> bool:
        left = ends_at - asyncio.get_running_loop().time()
        return pause > min(LONGEST_WAIT_SECONDS, left)
