"""Tools that a run asks for: carried out at once, waited for, stopped, and told of."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from aegis_project.database import run_db
from sessions.agent import llm
from sessions.agent.tools import Call, Tool, ToolSpec
from sessions.core.errors import ToolNotFound
from sessions.core.run_log import Start, Text, ToolResult
from sessions.core.tool_calls import Risk
from sessions.models import Approval, Run, ToolCall
from sessions.runs.reading import Equipment
from sessions.services import approvals, runs
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.test_execution import begin, ended, until, working

pytestmark = pytest.mark.django_db(transaction=True)

FORM = {"type": "object", "properties": {"n": {"type": "integer"}}}


@dataclass
class Box:
    """A toolbox of these tools."""

    tools: Sequence[Tool]

    def specs(self) -> list[ToolSpec]:
        return [one.spec for one in self.tools]

    def find(self, name: str) -> Tool:
        for one in self.tools:
            if one.spec.name == name:
                return one
        raise ToolNotFound(tool=name)


def tool(name: str, act: Callable[[Call], Any], **said: Any) -> Tool:
    async def execute(call: Call) -> Any:
        return await act(call)

    spec = ToolSpec(name, "", FORM, **{"risk": Risk.SAFE, "source": "python", **said})
    return Tool(spec, execute)


def equipped(*tools: Tool) -> Equipment:
    return Equipment(service_for=llm.service_for, toolbox_of=lambda _run, _agent: Box(tools))


def asking(*tools: tuple[str, int]) -> dict[str, Any]:
    """A step of a model that asks for these tools."""
    return {"text": "Let me see. ", "tools": [{"tool": t, "arguments": {"n": n}} for t, n in tools]}


def states() -> list[tuple[str, str]]:
    return list(ToolCall.objects.order_by("created_at", "pk").values_list("tool", "state"))


async def test_safe_tools_are_carried_out_together_and_told_to_the_model():
    met = asyncio.Barrier(2)

    async def meet(call: Call) -> Any:
        await met.wait()
        return call.arguments["n"] * 2

    async with working(equipped(tool("double", meet))):
        run = await begin(asking(("double", 1), ("double", 2)))
        row = await ended(run)

    log = await run_db(help_.log, run)
    assert sorted(one.result for one in log if isinstance(one, ToolResult)) == [2, 4]
    assert "2" in "".join(one.text for one in log if isinstance(one, Text))
    assert (row.steps, row.attempt) == (2, 1)


@pytest.mark.parametrize(
    ("fault", "code"), [(ValueError("x"), "TOOL_EXECUTION_FAILED"), (None, "TOOL_TIMEOUT")]
)
async def test_tool_that_fails_does_not_fail_its_run(fault, code):
    async def act(_call: Call) -> Any:
        if fault is not None:
            raise fault
        await asyncio.sleep(60)

    async with working(equipped(tool("bad", act, timeout_seconds=0.1))):
        row = await ended(await begin(asking(("bad", 1))))

    call = await run_db(ToolCall.objects.get, run=row)
    assert call.error is not None
    assert (call.state, call.error["code"]) == ("failed", code)


async def test_cancelled_run_writes_down_what_its_tool_did():
    began, may_end = asyncio.Event(), asyncio.Event()

    async def act(_call: Call) -> Any:
        began.set()
        await may_end.wait()
        return "done"

    async with working(equipped(tool("slow", act))) as worker:
        run = await begin(asking(("slow", 1)))
        await began.wait()
        await run_db(runs.cancel, principal=OPERATOR, run=run)
        assert worker.held == 1
        may_end.set()
        await until(lambda: states() == [("slow", "completed")])

    assert await run_db(help_.state, run) == "cancelled"


async def test_run_waits_for_a_decision_and_goes_on_in_the_same_attempt():
    async def act(call: Call) -> Any:
        return call.arguments["n"]

    async with working(equipped(tool("safe", act), tool("risky", act, risk=Risk.HIGH))):
        run = await begin(asking(("safe", 1), ("risky", 2)))
        waiting = await ended(run, "waiting")
        before = await run_db(states)
        approval = await run_db(Approval.objects.get)
        await run_db(
            approvals.decide,
            principal=OPERATOR,
            approval=approval.pk,
            approved=True,
            edited_arguments={"n": 3},
        )
        row = await ended(run)

    log = await run_db(help_.log, run)
    assert (waiting.waiting_for, before) == (
        "approval",
        [("safe", "completed"), ("risky", "pending")],
    )
    assert [one.result for one in log if isinstance(one, ToolResult)] == [1, 3]
    assert [one.attempt for one in log if isinstance(one, Start)] == [1]
    assert (row.attempt, row.steps) == (1, 2)


async def test_cancel_of_a_waiting_run_closes_what_it_asked_for():
    async def act(_call: Call) -> Any:
        return None

    async with working(equipped(tool("risky", act, risk=Risk.HIGH))):
        run = await begin(asking(("risky", 2)))
        await ended(run, "waiting")
        await run_db(runs.cancel, principal=OPERATOR, run=run)

    assert await run_db(states) == [("risky", "cancelled")]
    assert await run_db(lambda: Approval.objects.get().state) == "cancelled"
    assert await run_db(lambda: Run.objects.get().state) == "cancelled"
