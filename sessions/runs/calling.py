"""Carrying out the tool calls of a run that were approved, each written down before and after."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aegis_project import instruments
from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError
from sessions.agent.tools import Call, Toolbox
from sessions.core.errors import ToolExecutionFailed, ToolTimeout
from sessions.models import Run, ToolCall
from sessions.selectors import effects
from sessions.selectors.effects import Answer
from sessions.services import tool_calls
from sessions.services.working import Own

logger = logging.getLogger(__name__)

AT_ONCE = 5


class Calls:
    """The approved calls of one run under one fence, carried out some at a time."""

    def __init__(self, run: Run, *, fence: int, box: Toolbox) -> None:
        self._run = run
        self._own: Own = {"run_id": run.pk, "fence": fence}
        self._box = box
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._is_over = False

    async def carry_out(self, calls: Sequence[ToolCall]) -> None:
        """
        Carry out each of them.

        Told to stop, it does so when those that have begun are written down.

        :raises Superseded: if the run is not this worker's any more
        """
        tasks = asyncio.gather(*(self._one(call) for call in calls), return_exceptions=True)
        try:
            found = await asyncio.shield(tasks)
        except asyncio.CancelledError:
            self._is_over = True
            await tasks
            raise
        for fault in found:
            if isinstance(fault, BaseException):
                raise fault

    async def _one(self, call: ToolCall) -> None:
        async with self._gate:
            if self._is_over:
                return
            begun = await run_db(tool_calls.start, call.pk, **self._own)
            try:
                result = await self._execute(begun)
            except AegisError as error:
                await run_db(tool_calls.fail, call.pk, **self._own, error=error)
            else:
                await run_db(tool_calls.finish, call.pk, **self._own, result=result)

    async def _execute(self, call: ToolCall) -> Any:
        """
        What the tool returns.

        :raises AegisError: for whatever it could not do
        """
        told = await read_db(effects.answer, call)
        if told is not None:
            return _told(call, told)
        tool = self._box.find(call.tool)
        try:
            with instruments.span(
                f"execute_tool {call.tool}",
                gen_ai__operation__name="execute_tool",
                gen_ai__tool__name=call.tool,
                gen_ai__tool__call__id=str(call.pk),
            ):
                async with asyncio.timeout(tool.spec.timeout_seconds):
                    return await tool.execute(self._call(call))
        except TimeoutError:
            raise ToolTimeout(tool=call.tool, seconds=tool.spec.timeout_seconds) from None
        except AegisError:
            raise
        except Exception as error:
            named = {"action": "tool_failed", "tool": call.tool, "run_id": str(self._run.pk)}
            logger.exception("A tool failed", extra=named)
            raise ToolExecutionFailed(tool=call.tool, kind=type(error).__name__) from error

    def _call(self, call: ToolCall) -> Call:
        return Call(
            session_id=str(call.session_id),
            run_id=str(call.run_id),
            tool_call_id=str(call.pk),
            principal=f"agent:{self._run.agent_slug}",
            arguments=call.arguments,
            effect_key=call.effect_key,
            depth=self._run.depth,
        )


def _told(call: ToolCall, told: Answer) -> Any:
    """
    What came of the same call before.

    :raises ToolExecutionFailed: if it failed then
    """
    if told.error is None:
        return told.result
    said = told.error.get("message", "")
    raise ToolExecutionFailed(said, tool=call.tool, recorded=told.error.get("code", ""))
