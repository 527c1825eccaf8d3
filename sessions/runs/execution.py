"""One run, from its claim to its end or to where its worker lets go."""

import asyncio
import base64
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import cast

from django.db import DatabaseError

from aegis_project import instruments
from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError, InternalError
from sessions import metrics
from sessions.agent.protocol import Completion, Limits, MediaPart, Said, TextDelta
from sessions.core import run_log
from sessions.core.errors import BudgetExceeded, LLMError
from sessions.core.runs import Waiting
from sessions.runs import reading
from sessions.runs.calling import Calls
from sessions.runs.output import Output
from sessions.runs.reading import Equipment, Question, Situation
from sessions.services import steps, working
from sessions.services.steps import Step
from sessions.services.working import Claimed, Superseded
from sessions.toolbox import evidence

logger = logging.getLogger(__name__)

LIMITS = Limits()


class Execution:
    """
    Carry out a claimed run: ask its model, carry out what it asks for, until there is an answer.

    ``is_held`` asks it to let go at its next safe point. Its task may be cancelled at any time;
    an effect that has begun is written down before it gives way. Everything it writes is compared
    with its fence, and where another has taken the run it stops in silence.
    """

    def __init__(self, claimed: Claimed, *, output: Output, equipment: Equipment) -> None:
        self.claimed = claimed
        self.is_held = False
        # From its last writing on: what anybody says of the run now is too late, or its own.
        self.is_ending = False
        self._output = output
        self._equipment = equipment
        self._is_safe = False
        self._since = time.monotonic()

    async def run(self) -> None:
        """Go on until the run is over, waits, or is let go."""
        named = self._named()
        instruments.begin(run=named["run_id"], session=named["session_id"])
        try:
            with instruments.span(
                "invoke_agent",
                gen_ai__operation__name="invoke_agent",
                gen_ai__conversation__id=named["session_id"],
                aegis__run__id=named["run_id"],
            ) as span:
                await self._go(span)
        except Superseded:
            return
        except asyncio.CancelledError:
            await self._let_go("worker ends")
            raise
        except AegisError as error:
            await self._fail(error)
        except Exception:  # whatever it was, the run does not stay at work for ever
            logger.exception("A run failed", extra={"action": "run_failed", **self._named()})
            await self._fail(InternalError())
        finally:
            self._output.forget(self.claimed)

    async def _go(self, span: instruments.Span) -> None:
        while True:
            seconds = time.monotonic() - self._since
            own = (self.claimed.run_id, self._equipment)
            found, asked = await read_db(reading.outlook, *own, seconds=seconds)
            span.name(f"invoke_agent {found.run.agent_slug}")
            span.add(gen_ai__agent__name=found.run.agent_slug)
            if self.is_held or found.is_held:
                await self._let_go("session does not run")
                return
            self._is_safe = False
            if found.approved:
                await self._carry_out(found)
            elif found.is_blocked:
                if await run_db(working.wait, **self._own(), seconds=self._worked()):
                    return
            elif asked is not None and await self._step(found, asked):
                return
            self._is_safe = True

    async def _carry_out(self, found: Situation) -> None:
        box = await read_db(self._equipment.toolbox_of, found.run, found.agent)
        calls = Calls(found.run, fence=self.claimed.fence, box=box)
        await calls.carry_out(found.approved)

    async def _step(self, found: Situation, asked: Question | BudgetExceeded) -> bool:
        """Ask the model once; whether the run is over or waits for its budget."""
        if isinstance(asked, BudgetExceeded):
            return await self._wait_for_budget(asked)
        said = await self._ask(asked)
        if not said.requests:
            return await self._conclude(self._written(said, asked))
        known = await evidence.gather(found.run, said.requests, asked.specs)
        await self._output.flush(self.claimed)
        step = replace(self._written(said, asked), evidence=known)
        return await run_db(steps.record, **self._own(), step=step, specs=asked.specs)

    async def _conclude(self, step: Step) -> bool:
        """Write the answer, and with it what was said last."""
        rest = await self._output.rest(self.claimed)
        self.is_ending = True
        try:
            return await run_db(steps.record, **self._own(), step=step, rest=rest)
        except DatabaseError:
            # All of it is written or nothing: if all, the run is over and takes nothing more.
            self._output.give_back(self.claimed, rest)
            await self._output.flush(self.claimed)
            return await run_db(steps.record, **self._own(), step=step)

    async def _wait_for_budget(self, error: BudgetExceeded) -> bool:
        return await run_db(
            working.wait,
            **self._own(),
            seconds=self._worked(),
            waiting_for=Waiting.BUDGET,
            error=error,
        )

    async def _ask(self, asked: Question) -> Completion:
        """Stream one answer into the log; its completion."""
        provider, _, model = asked.service.model.partition(":")
        with instruments.span(
            f"chat {model}",
            kind="client",
            gen_ai__operation__name="chat",
            gen_ai__provider__name=provider,
            gen_ai__request__model=model,
        ) as span:
            said = await self._stream(asked)
            span.add(
                gen_ai__response__model=said.spent.model.removeprefix(f"{provider}:"),
                gen_ai__usage__input_tokens=said.spent.input_tokens,
                gen_ai__usage__output_tokens=said.spent.output_tokens,
            )
            return said

    async def _stream(self, asked: Question) -> Completion:
        clock = _Clock(asked.service.model)
        stream = asked.service.stream(asked.prompt, limits=_limits(asked))
        # Whoever gives way closes the connection to the provider at once.
        async with aclosing(cast(AsyncGenerator[Said, None], stream)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    clock.end()
                    return piece
                clock.begin()
                await self._output.say(self.claimed, _entry(piece))
        raise LLMError("The model did not end its answer.", model=asked.service.model)

    def _written(self, said: Completion, asked: Question) -> Step:
        kept = said.history
        return Step(
            text=said.text,
            model=said.spent.model,
            input_tokens=said.spent.input_tokens,
            output_tokens=said.spent.output_tokens,
            cost=said.spent.cost or Decimal(0),
            seconds=self._worked(),
            requests=said.requests,
            finish_reason=said.finish_reason,
            history=(kept.format, kept.body) if kept else None,
            media=said.media,
            covered=len(asked.prompt.turns) + 1,
        )

    async def _let_go(self, reason: str) -> None:
        try:
            await self._output.flush(self.claimed)
        except Superseded:
            return
        await run_db(
            working.release,
            **self._own(),
            reason=reason,
            is_safe=self._is_safe,
            seconds=self._worked(),
        )

    async def _fail(self, error: AegisError) -> None:
        try:
            await self._output.flush(self.claimed)
        except Superseded:
            return
        await run_db(working.fail, **self._own(), error=error, seconds=self._worked())

    def _worked(self) -> float:
        """Seconds of work since the last time that they were counted."""
        now = time.monotonic()
        worked, self._since = now - self._since, now
        return worked

    def _own(self) -> working.Own:
        return {"run_id": self.claimed.run_id, "fence": self.claimed.fence}

    def _named(self) -> dict[str, str]:
        return {"run_id": str(self.claimed.run_id), "session_id": str(self.claimed.session_id)}


class _Clock:
    """How long one answer of a model takes to begin and to end."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._asked_at = time.monotonic()
        self._has_begun = False

    def begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            metrics.llm_first_token.labels(self._model).observe(self._seconds())

    def end(self) -> None:
        metrics.llm_response_time.labels(self._model).observe(self._seconds())

    def _seconds(self) -> float:
        return time.monotonic() - self._asked_at


def _limits(asked: Question) -> Limits:
    """What one request may take: as its agent says, and no more than the run has left."""
    said = asked.prompt.settings.get("max_output_tokens")
    most = said if isinstance(said, int) else LIMITS.max_output_tokens
    return replace(
        LIMITS, max_output_tokens=most if asked.tokens is None else min(most, asked.tokens)
    )


def _entry(piece: Said) -> run_log.Entry:
    if isinstance(piece, TextDelta):
        return run_log.Text(text=piece.text)
    assert isinstance(piece, MediaPart)  # noqa: S101 -- a completion is no piece
    media = piece.media
    data = base64.b64encode(media.data).decode()
    return run_log.Data(media_type=media.media_type, data=data, name=media.name)
