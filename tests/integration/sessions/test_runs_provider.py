"""A run whose model is a provider's: over a real wire, with a tool, with a fault, with a key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as django_settings

from aegis_project import sealed
from aegis_project.database import run_db
from sessions.core.conversation import Role
from sessions.models import Message, Provider, Run, Session
from sessions.services import messages
from sessions.worker import EQUIPMENT, Worker
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub
from streaming.jobs import LeaseJob
from streaming.node import Node
from tests.integration.sessions import working_help as help_
from tests.wire.provider import call, fails, provider, says, words

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-of-this-provider"


@pytest.fixture(autouse=True)
def near(settings: Any) -> None:
    """Who is asked listens on this machine, which an administrator allowed."""
    opened = {"outward_networks": "127.0.0.1"}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=opened)


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    """A process that carries out runs."""
    worker = Worker(EQUIPMENT)
    hub = Hub(engines=[RowEngine(), MemoryEngine()])
    node = Node(hub=hub, jobs=[LeaseJob(), worker], url="beside:test")
    await node.start()
    try:
        yield
    finally:
        node.is_draining = True
        await worker.stop()
        await node.stop()


def begin(url: str) -> Run:
    """A question to an agent whose model is there."""
    Provider.objects.create(slug="own", base_url=f"{url}/v1", secret=sealed.seal(KEY))
    agent = help_.agent("thinker", model="own:gpt-4o-mini", tools=["memory_*"])
    session = help_.session()
    row = Session.objects.get(pk=session.pk)
    message = messages.append(row, role=Role.USER, content="Remember 1.", author="user:operator")
    return help_.admitted(session, agent=agent, message=message)


async def ended(run: Run) -> Run:
    """The run as soon as it is over."""
    async with asyncio.timeout(30):
        while await run_db(help_.state, run) not in {"completed", "failed"}:  # noqa: ASYNC110 -- rows set no event
            await asyncio.sleep(0.01)
    return await run_db(Run.objects.get, pk=run.pk)


async def test_a_model_of_a_provider_uses_a_tool_and_answers():
    asks = call(0, id="c-1", name="memory_set", arguments='{"key": "a", "value": 1}')
    async with provider(says(asks, reason="tool_calls"), words("It ", "is kept.")) as at, working():
        run = await ended(await run_db(begin, at.url))

    session = await run_db(Session.objects.get, pk=run.session_id)
    answer = await run_db(Message.objects.get, pk=run.answer_id)
    told: list[dict[str, Any]] = at.asked[1].body["messages"]
    assert (run.state, answer.content, session.memory) == ("completed", "It is kept.", {"a": 1})
    assert [one["role"] for one in told] == ["user", "assistant", "tool"]
    assert told[2]["tool_call_id"] == "c-1"
    assert [one.headers["authorization"] for one in at.asked] == [f"Bearer {KEY}"] * 2
    assert (run.steps, run.token_count, run.cost) == (2, 36, Decimal(0))
    assert list(run.usage) == ["own:gpt-4o-mini"]


async def test_a_refused_key_fails_the_run_and_is_said_nowhere():
    refused = fails("401 Unauthorized", {"error": {"message": f"Wrong key {KEY}."}})
    async with provider(refused) as at, working():
        run = await ended(await run_db(begin, at.url))

    assert run.state == "failed"
    assert run.error is not None
    assert (run.error["code"], run.error["message"]) == (
        "LLM_ERROR",
        "The provider refused the key.",
    )
    assert KEY not in repr((run.error, await run_db(help_.log, run)))
