"""Trying a model: one short question, whose answer comes in pieces."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from aegis_project.database import read_db
from aegis_project.kit.errors import AegisError, InternalError
from sessions.agent import llm, trial
from sessions.agent.protocol import Completion, TextDelta
from sessions.models import Agent

QUESTION = trial.QUESTION
LONGEST_QUESTION = 2000


def answer(request: HttpRequest, agent: Agent) -> StreamingHttpResponse:
    """
    The answer as lines of JSON: ``text`` for each piece, then ``done`` or ``error``.

    Nothing is kept of it, and tools are not offered.
    """
    question = request.POST.get("question", "").strip()[:LONGEST_QUESTION] or QUESTION
    response = StreamingHttpResponse(lines(agent, question), content_type="application/x-ndjson")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def lines(agent: Agent, question: str) -> AsyncIterator[bytes]:
    """One JSON value per line; a failure is the last of them."""
    try:
        async for value in _said(agent, question):
            yield _line(value)
    except AegisError as error:
        yield _line({"error": error.as_dict()})
    except Exception:
        # The headers are out: who waits is told here, and the server logs the rest.
        yield _line({"error": InternalError().as_dict()})
        raise


async def _said(agent: Agent, question: str) -> AsyncIterator[dict[str, Any]]:
    # The first model of a provider takes seconds to import, in a thread and not in the loop.
    service = await read_db(llm.service_for, agent)
    stream: Any = service.stream(trial.prompt(agent, question), limits=trial.LIMITS)
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            if isinstance(piece, TextDelta):
                yield {"text": piece.text}
            elif isinstance(piece, Completion):
                yield {"done": _summary(piece)}


def _summary(found: Completion) -> dict[str, Any]:
    spent = found.spent
    return {
        "model": spent.model,
        "finish_reason": found.finish_reason,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost": None if spent.cost is None else f"{spent.cost:f}",
    }


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
