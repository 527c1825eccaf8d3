"""Trying a model: one short question, whose answer comes in pieces."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError, InternalError
from aegis_project.kit.principal import Principal
from sessions.agent import llm, trial
from sessions.agent.protocol import Completion, TextDelta
from sessions.models import Agent
from sessions.services import trials

QUESTION = trial.QUESTION
LONGEST_QUESTION = 2000
CONTENT_TYPE = "application/x-ndjson"


def answer(request: HttpRequest, agent: Agent, principal: Principal) -> StreamingHttpResponse:
    """
    The answer as lines of JSON: ``text`` for each piece, then ``done`` or ``error``.

    Nothing is kept of what is said, and tools are not offered; the audit has who asked, and what
    it took.
    """
    question = request.POST.get("question", "").strip()[:LONGEST_QUESTION] or QUESTION
    said = lines(agent, question, principal)
    response = StreamingHttpResponse(said, content_type=CONTENT_TYPE)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def refused(error: AegisError) -> HttpResponse:
    """The one line for who may not ask now."""
    line = _line({"error": error.as_dict()})
    return HttpResponse(line, status=error.status, content_type=CONTENT_TYPE)


async def lines(agent: Agent, question: str, principal: Principal) -> AsyncIterator[bytes]:
    """One JSON value per line; a failure is the last of them."""
    entry = partial(trials.answered, detail={"finish_reason": "left"})
    try:
        async for value in _said(agent, question):
            if "done" in value:
                entry = partial(trials.answered, detail=value["done"])
            yield _line(value)
    except AegisError as error:
        entry = partial(trials.failed, error=error)
        yield _line({"error": error.as_dict()})
    except Exception:
        # The headers are out: who waits is told here, and the server logs the rest.
        entry = partial(trials.failed, error=InternalError())
        yield _line({"error": InternalError().as_dict()})
        raise
    finally:
        await run_db(entry, principal=principal, agent=agent.slug)


async def _said(agent: Agent, question: str) -> AsyncIterator[dict[str, Any]]:
    # The first model of a provider takes seconds to import, in a thread and not in the loop.
    service = await read_db(llm.service_for, agent)
    stream: Any = service.stream(trial.prompt(agent, question), limits=trial.LIMITS)
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            if isinstance(piece, TextDelta):
                yield {"text": piece.text}
            elif isinstance(piece, Completion):
                yield {"done": trial.summary(piece)}


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
