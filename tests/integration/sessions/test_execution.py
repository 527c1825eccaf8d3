"""A run carried out by a worker: pieces as they come, the answer, pauses, budgets, cancelling."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from aegis_project.database import run_db
from sessions.core.conversation import Role
from sessions.core.run_log import End, Error, Start, Status, Text, Usage
from sessions.models import Agent, Message, Run, Session
from sessions.runs.reading import Equipment
from sessions.services import lifecycle, messages, runs
from sessions.worker import EQUIPMENT, Worker
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub
from streaming.jobs import LeaseJob
from streaming.node import Node
from tests import spans
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def working(equipment: Equipment = EQUIPMENT) -> AsyncIterator[Worker]:
    """A process that carries out runs."""
    worker = Worker(equipment)
    node = Node(hub=Hub(engines=[MemoryEngine()]), jobs=[LeaseJob(), worker], url="beside:test")
    await node.start()
    try:
        yield worker
    finally:
        node.is_draining = True
        await worker.stop()
        await node.stop()


async def begin(*steps: dict[str, Any], **asked: Any) -> Run:
    """A run whose model says these steps, in a session that runs."""
    return await run_db(_begin, steps, asked)


def _begin(steps: tuple[dict[str, Any], ...], asked: dict[str, Any]) -> Run:
    session = asked.pop("session", None) or help_.session()
    row = Session.objects.get(pk=session.pk)
    message = messages.append(row, role=Role.USER, content="Well?", author="user:operator")
    parameters = {"script": list(steps)}
    return help_.admitted(session, message=message, parameters=parameters, **asked)


async def ended(run: Run, state: str = "completed") -> Run:
    """The run, as soon as it is in this state."""
    await until(lambda: help_.state(run) == state)
    return await run_db(Run.objects.get, pk=run.pk)


def code(run: Run) -> str:
    """Why a run failed."""
    assert run.error is not None
    return str(run.error["code"])


async def until(is_true: Callable[[], bool]) -> None:
    """Go on once it is true of the rows."""
    async with asyncio.timeout(30):
        while not await run_db(is_true):  # noqa: ASYNC110 -- rows set no event
            await asyncio.sleep(0.01)


async def test_an_answer_is_streamed_and_kept():
    async with working():
        run = await begin({"text": "It is so."})
        row = await ended(run)

    log = await run_db(help_.log, run)
    answer = await run_db(Message.objects.get, run=row, role="assistant")
    assert "".join(one.text for one in log if isinstance(one, Text)) == "It is so."
    assert (answer.content, answer.role, answer.author) == (
        "It is so.",
        "assistant",
        "agent:scribe",
    )
    assert isinstance(log[0], Start)
    assert log[-1] == End(
        state="completed",
        message=str(answer.pk),
        finish_reason="stop",
        usage=Usage(input_tokens=1, output_tokens=3, requests=1, cost="0"),
    )
    assert (row.steps, row.token_count, row.answer_id) == (1, 4, answer.pk)


async def test_a_run_is_a_span_with_one_for_each_request_to_a_model(
    monkeypatch: pytest.MonkeyPatch,
):
    recorder = spans.recorded(monkeypatch)

    async with working():
        run = await ended(await begin({"text": "It is so."}))

    whole, asked = recorder.made
    assert (whole.called, whole.kind) == ("invoke_agent scribe", SpanKind.INTERNAL)
    assert whole.attributes["gen_ai.conversation.id"] == str(run.session_id)
    assert (asked.called, asked.kind) == ("chat echo", SpanKind.CLIENT)
    assert asked.attributes["gen_ai.provider.name"] == "scripted"
    assert asked.attributes["gen_ai.response.model"] == "echo"
    assert asked.attributes["gen_ai.usage.output_tokens"] == 3


async def test_the_second_question_is_asked_when_the_first_is_answered():
    session = await run_db(help_.session)
    first = await begin({"text": "one"}, session=session)
    second = await begin({"text": "two"}, session=session)

    async with working():
        await ended(second)

    said = await run_db(
        lambda: list(
            Message.objects.filter(role="assistant").order_by("place").values_list("run", "content")
        )
    )
    assert said == [(first.pk, "one"), (second.pk, "two")]


async def test_cancelled_run_stops_and_keeps_what_it_said():
    async with working() as worker:
        run = await begin({"text": "n", "chunks": 1000, "pause_seconds": 0.01})
        await until(lambda: any(isinstance(one, Text) for one in help_.log(run)))
        await run_db(runs.cancel, principal=OPERATOR, run=run)
        await until(lambda: worker.held == 0)

    log = await run_db(help_.log, run)
    said = await run_db(lambda: Message.objects.get(run=run, role="assistant"))
    assert isinstance(log[-1], End)
    assert log[-1].state == "cancelled"
    assert said.content == "".join(one.text for one in log if isinstance(one, Text))
    assert said.metadata == {"interrupted": True}


async def test_run_fails_with_the_code_of_its_model():
    async with working():
        run = await begin({"text": "a b c", "error": {"code": "LLM_TIMEOUT", "after": 1}})
        row = await ended(run, "failed")

    log = await run_db(help_.log, run)
    assert [type(one) for one in log] == [Start, Text, Error]
    assert code(row) == "LLM_TIMEOUT"


async def test_run_without_an_agent_fails():
    run = await begin({"text": "x"})
    await run_db(Agent.objects.all().delete)

    async with working():
        row = await ended(run, "failed")

    assert code(row) == "AGENT_NOT_FOUND"


async def test_paused_session_holds_its_run_at_a_safe_point():
    session = await run_db(help_.session)
    async with working():
        await run_db(lifecycle.pause, principal=OPERATOR, session=session)
        run = await begin({"text": "x"}, session=session)
        await run_db(lifecycle.start, principal=OPERATOR, session=session)
        row = await ended(run)

    assert row.attempt == 1


async def test_budget_stops_before_the_next_request_and_can_be_raised():
    async with working():
        run = await begin({"text": "x"}, limits={"max_tokens": 0})
        waiting = await ended(run, "waiting")
        await run_db(runs.raise_limits, principal=OPERATOR, run=run, limits={"max_tokens": 100})
        row = await ended(run)

    log = await run_db(help_.log, run)
    assert (waiting.waiting_for, waiting.steps) == ("budget", 0)
    assert waiting.error == {
        "code": "BUDGET_EXCEEDED",
        "message": "The run has used its max_tokens.",
        "details": {"of": "run", "limit": "max_tokens", "most": 0},
    }
    assert (row.error, row.steps) == (None, 1)
    assert [type(one) for one in log] == [Start, *[Status] * 3, Text, End]


async def test_worker_that_ends_lets_go_and_the_next_begins_anew():
    run = await begin({"text": "{attempt}-", "chunks": 400, "pause_seconds": 0.01})
    async with working():
        await until(lambda: any(isinstance(one, Text) for one in help_.log(run)))

    assert await run_db(help_.state, run) == "queued"
    async with working():
        row = await ended(run)

    log = await run_db(help_.log, run)
    begun = [one for one in log if isinstance(one, Start)]
    second = log[log.index(begun[1]) :]
    assert [(one.attempt, one.keeps) for one in begun] == [(1, 0), (2, 0)]
    assert "".join(one.text for one in second if isinstance(one, Text)) == "".join(
        f"2-{number} " for number in range(1, 401)
    )
    assert (row.attempt, row.losses) == (2, 0)
