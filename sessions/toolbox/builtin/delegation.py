"""Tools that let another agent do a part of the work."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from sessions.core.errors import RunNotFound
from sessions.core.runs import OPEN
from sessions.core.tool_calls import Risk
from sessions.core.tools import DELEGATION
from sessions.models import Run
from sessions.services import delegation
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground
from streaming import hints
from streaming.hints import Hint

LONGEST_TASK = 10_000
MOST_SECONDS = 600
LOOK_SECONDS = 2.0

Seconds = Annotated[
    int, Field(ge=0, le=MOST_SECONDS, description="How long to wait for its answer.")
]


@tool(
    risk=Risk.LOW,
    name=DELEGATION,
    is_idempotent=True,
    timeout_seconds=MOST_SECONDS + 30,
    source="builtin",
)
async def delegate(
    ground: Ground,
    agent: Annotated[str, Field(min_length=1, max_length=100, description="Its slug.")],
    task: Annotated[str, Field(min_length=1, max_length=LONGEST_TASK)],
    wait_seconds: Seconds = 120,
) -> Any:
    """
    Give a part of the work to another agent and wait for its answer.

    It works in this session and sees the conversation; say in the task all that it needs beside.
    If the time is over first, `state` says where it stands; look again with `delegated`.
    """

    def act() -> Any:
        made = delegation.begin(
            principal=ground.principal,
            session=ground.session_id,
            parent=UUID(ground.call.run_id),
            agent=agent,
            task=task,
        )
        return {"run": str(made.pk)}

    begun = await ground.once(act)
    return await _answered(ground, begun["run"], wait_seconds)


@tool(risk=Risk.SAFE, is_idempotent=True, timeout_seconds=MOST_SECONDS + 30, source="builtin")
async def delegated(
    ground: Ground,
    run: Annotated[str, Field(max_length=64, description="As `delegate` named it.")],
    wait_seconds: Seconds = 0,
) -> Any:
    """Look at the work that another agent was given, and wait for its answer if need be."""
    return await _answered(ground, run, wait_seconds)


async def _answered(ground: Ground, run: str, wait_seconds: float) -> dict[str, Any]:
    """The answer, or where the run stands when the time is over."""
    moved, loop = asyncio.Event(), asyncio.get_running_loop()

    def hear(hint: Hint) -> None:
        if hint == Hint("run", run):
            loop.call_soon_threadsafe(moved.set)

    hints.listen(hear)
    try:
        give_up_at = loop.time() + wait_seconds
        while (found := await ground.read(_stands, ground, run))["state"] in OPEN:
            left = give_up_at - loop.time()
            if left <= 0:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_SECONDS)):
                    await moved.wait()
            moved.clear()
    finally:
        hints.unlisten(hear)
    return found


def _stands(ground: Ground, run: str) -> dict[str, Any]:
    """How a run stands that this one began."""
    with suppress(ValueError):
        rows = Run.objects.filter(pk=UUID(run), parent=UUID(ground.call.run_id))
        for row in rows.select_related("answer"):
            found = {"run": run, "agent": row.agent_slug, "state": row.state}
            said = {"answer": row.answer.content} if row.answer else {}
            failed = {"error": row.error} if row.error else {}
            return {**found, **said, **failed}
    raise RunNotFound(run=run[:64])


TOOLS = (delegate, delegated)
