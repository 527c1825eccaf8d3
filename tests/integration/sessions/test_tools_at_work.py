"""A run that asks for tools: calls side by side, decisions in any order, and effects that are once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from django.utils import timezone

from aegis_project.database import run_db
from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal
from sessions.agent import llm
from sessions.agent.tools import Call
from sessions.core.conversation import Role
from sessions.core.errors import ApprovalAlreadyDecided, ApprovalTimeout
from sessions.core.lifecycle import Environment
from sessions.core.run_log import Text, ToolResult
from sessions.models import Approval, Message, Policy, Run, Session, ToolCall
from sessions.runs.reading import Equipment
from sessions.services import approvals, messages
from sessions.toolbox import box, tool
from sessions.worker import Worker
from streaming import node as nodes
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub
from streaming.jobs import LeaseJob
from streaming.node import Node
from tests import factories
from tests.integration.sessions import working_help as help_
from tests.outside import Outside, outside

pytestmark = pytest.mark.django_db(transaction=True)

PLACE: dict[str, Outside] = {}


@tool(risk="high", evidence=["prices"])
async def order(call: Call, count: int) -> Any:
    """Order so many of them, outside."""
    return await asyncio.to_thread(tell, "/order", call, count)


@tool(risk="safe")
async def look(call: Call) -> Any:
    """Look outside."""
    return await asyncio.to_thread(tell, "/look", call, 0)


def tell(path: str, call: Call, count: int) -> Any:
    answer = httpx2.post(
        PLACE["here"].url(path), json={"key": call.effect_key, "count": count}, trust_env=False
    )
    return {"status": answer.status_code, "count": count}


@pytest.fixture
def place():
    with outside() as found:
        PLACE["here"] = found
        yield found


@asynccontextmanager
async def working() -> AsyncIterator[Hub]:
    """A process that carries out runs with these tools."""
    found = box.Box([order.tool(), look.tool()])
    worker = Worker(Equipment(service_for=llm.service_for, toolbox_of=lambda _run, _agent: found))
    hub = Hub(engines=[RowEngine(), MemoryEngine()])
    node = Node(hub=hub, jobs=[LeaseJob(), worker], url="beside:test")
    await node.start()
    nodes.install(node)
    try:
        yield hub
    finally:
        nodes.install(None)
        node.is_draining = True
        await worker.stop()
        await node.stop()


THREE = {
    "text": "I look, and I order twice.",
    "tools": [
        {"tool": "order", "arguments": {"count": 100}, "id": "a"},
        {"tool": "look", "id": "b"},
        {"tool": "order", "arguments": {"count": 7}, "id": "c"},
    ],
}


def production() -> Session:
    """A session in which somebody has to be careful."""
    return help_.session(environment=Environment.PRODUCTION)


def asked(*steps: dict[str, Any], session: Session | None = None) -> Run:
    """A run in production, whose policy asks for two people."""
    rules = [
        {"name": "look", "verdict": "auto", "tool": "look"},
        {"name": "order", "verdict": "approve", "tool": "order", "who": {"four_eyes": True}},
    ]
    policy = Policy.objects.create(slug="careful", name="Careful", rules=rules)
    agent = help_.agent("buyer", tools=["*"], policy=policy)
    session = session or production()
    row = Session.objects.get(pk=session.pk)
    message = messages.append(row, role=Role.USER, content="Buy.", author="user:operator")
    return help_.admitted(session, agent=agent, message=message, parameters={"script": list(steps)})


async def until(is_true: Any) -> None:
    async with asyncio.timeout(30):
        while not await run_db(is_true):  # noqa: ASYNC110 -- rows set no event
            await asyncio.sleep(0.01)


def pending(run: Run) -> dict[str, Approval]:
    rows = Approval.objects.filter(run=run, state="pending").select_related("tool_call")
    return {row.tool_call.call_id: row for row in rows}


def colleague(run: Run, label: str = "second") -> Principal:
    """Somebody else of the same team."""
    session = Session.objects.select_related("team").get(pk=run.session_id)
    return factories.member(session.team, label=label)


def calls(run: Run) -> dict[str, ToolCall]:
    return {row.call_id: row for row in ToolCall.objects.filter(run=run)}


async def test_three_calls_are_decided_out_of_order_edited_and_denied_after_a_restart(
    place: Outside,
):
    session = await run_db(production)
    async with working() as hub:
        await hub.publish((str(session.pk), "prices"), [(5, b'{"p": 1}')])
        run = await run_db(asked, THREE, {"text": "Done."}, session=session)
        await until(lambda: help_.state(run) == "waiting")

    first = await run_db(pending, run)
    second = await run_db(colleague, run)
    assert first.keys() == {"a", "c"}
    assert first["a"].evidence == {"prices": {"value": {"p": 1}, "ts": 5, "seq": 1}}
    with pytest.raises(PermissionDenied):
        await run_db(
            approvals.decide, principal=factories.OPERATOR, approval=first["a"], approved=True
        )
    await run_db(
        approvals.decide, principal=second, approval=first["c"], approved=False, reason="No."
    )
    assert await run_db(help_.state, run) == "waiting"
    await run_db(
        approvals.decide,
        principal=second,
        approval=first["a"],
        approved=True,
        edited_arguments={"count": 10},
    )
    third = await run_db(colleague, run, "third")
    with pytest.raises(ApprovalAlreadyDecided):
        await run_db(approvals.decide, principal=third, approval=first["c"], approved=True)
    async with working():
        await until(lambda: help_.state(run) == "completed")

    found = await run_db(calls, run)
    assert {id_: call.state for id_, call in found.items()} == {
        "a": "completed",
        "b": "completed",
        "c": "rejected",
    }
    assert [(visit.path, visit.document) for visit in place.visits] == [
        ("/look", {"key": found["b"].effect_key, "count": 0}),
        ("/order", {"key": found["a"].effect_key, "count": 10}),
    ]
    assert found["a"].asked_arguments == {"count": 100}
    answer = await run_db(lambda: Message.objects.filter(run=run).latest("place"))
    assert answer.content == "Done."


async def test_past_its_deadline_nothing_is_decided_and_the_run_goes_on(place: Outside):
    run = await run_db(asked, {**THREE, "tools": THREE["tools"][:1]}, {"text": "Too late."})
    async with working():
        await until(lambda: help_.state(run) == "waiting")
        (approval,) = (await run_db(pending, run)).values()
        past = timezone.now() - timedelta(seconds=1)
        await run_db(Approval.objects.filter(pk=approval.pk).update, expires_at=past)
        second = await run_db(colleague, run)

        with pytest.raises(ApprovalTimeout):
            await run_db(approvals.decide, principal=second, approval=approval, approved=True)
        await until(lambda: help_.state(run) == "completed")

    (call,) = (await run_db(calls, run)).values()
    assert (call.state, (call.error or {})["code"]) == ("expired", "APPROVAL_TIMEOUT")
    assert place.visits == []


async def test_all_that_came_of_calls_stands_in_the_log_of_the_run(place: Outside):
    run = await run_db(asked, THREE, {"text": "Done."})
    second = await run_db(colleague, run)
    async with working():
        await until(lambda: help_.state(run) == "waiting")
        for approval in (await run_db(pending, run)).values():
            await run_db(approvals.decide, principal=second, approval=approval, approved=False)
        await until(lambda: help_.state(run) == "completed")

    log = await run_db(help_.log, run)
    told = {one.call: one.state for one in log if isinstance(one, ToolResult)}
    said = "".join(one.text for one in log if isinstance(one, Text))
    assert told == {"a": "rejected", "b": "completed", "c": "rejected"}
    assert said == "I look, and I order twice.Done."
