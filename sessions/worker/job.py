"""The job that claims runs, carries each out in a task of its own, and takes over what others left."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError
from sessions import metrics
from sessions.core import keys
from sessions.core.runs import State
from sessions.runs.execution import Execution
from sessions.runs.output import Output
from sessions.runs.reading import Equipment
from sessions.selectors import budgets, work
from sessions.selectors.work import Standing
from sessions.services import runs, working
from sessions.services.working import Claimed
from streaming.hints import Hint
from streaming.node import Node

logger = logging.getLogger(__name__)

MOST = 64
"""Runs that one process works on at a time; they mostly wait for their models."""
SWEEP_SECONDS = 1.0
# How soon a run finds that its budget has room again, which nobody tells it.
RECONSIDER_SECONDS = 30.0
END_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class _Held:
    """A run that this process works on, and the task that does."""

    execution: Execution
    task: asyncio.Task[None]


class Worker:
    """Work on what is queued; stop what was cancelled, let go of what its session holds."""

    name = "worker"
    period_seconds = 1.0

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._output = Output()
        self._held: dict[UUID, _Held] = {}
        self._swept_at = 0.0
        self._reconsidered_at = 0.0

    @property
    def held(self) -> int:
        """How many runs this process works on."""
        return len(self._held)

    def wants(self, hint: Hint) -> bool:
        if hint.kind == "run":
            run_id = keys.as_uuid(hint.id)
            held = self._held.get(run_id) if run_id else None
            # Its end brings the next turn by itself.
            return held is None or not held.execution.is_ending
        return hint.kind in {"lever", "moved"}

    async def run(self, node: Node) -> None:
        """Bring what is worked on here up to what there is to do."""
        await self._follow()
        if node.lease_id is None or node.is_draining:
            return
        await self._sweep(node.lease_id)
        await self._take(node, node.lease_id)

    async def stop(self) -> None:
        """Let go of every run, for any process to take; effects that began are written down."""
        tasks = [one.task for one in self._held.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=END_SECONDS)
        await self._output.stop()

    async def _follow(self) -> None:
        """Stop who works on what is not ours any more; tell the others what their sessions want."""
        if not self._held:
            return
        standings = await read_db(work.standings, list(self._held))
        for run_id, held in list(self._held.items()):
            standing = standings.get(run_id)
            if standing is None or not _is_ours(standing, held.execution.claimed):
                held.task.cancel()
            else:
                held.execution.is_held = standing.is_held

    async def _sweep(self, lease_id: UUID) -> None:
        """Take over what processes that are gone have left, and what was lost here."""
        now = asyncio.get_running_loop().time()
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for run_id in await read_db(work.lost, now=timezone.now()):
            await _attempt(working.take_over, run_id=run_id)
        orphans = await read_db(work.orphans, lease_id=lease_id, held=list(self._held))
        for run_id, fence in orphans:
            await _attempt(working.release, run_id=run_id, fence=fence, reason="not worked on")
        if now - self._reconsidered_at >= RECONSIDER_SECONDS:
            self._reconsidered_at = now
            for run_id in await read_db(budgets.held):
                await _attempt(runs.reconsider, run_id=run_id)

    async def _take(self, node: Node, lease_id: UUID) -> None:
        free = MOST - self.held
        if free <= 0:
            return
        for claimed in await run_db(working.claim, lease_id=lease_id, limit=free):
            metrics.run_claims.inc()
            execution = Execution(claimed, output=self._output, equipment=self._equipment)
            task = asyncio.create_task(execution.run(), name=f"aegis-run-{claimed.run_id}")
            self._held[claimed.run_id] = _Held(execution, task)
            metrics.runs_at_work.set(self.held)
            task.add_done_callback(partial(self._over, node, claimed))

    def _over(self, node: Node, claimed: Claimed, _task: asyncio.Task[None]) -> None:
        self._held.pop(claimed.run_id, None)
        metrics.runs_at_work.set(self.held)
        # There may be more in the queue than could be taken.
        if not node.is_draining:
            node.hurry(self.name)


def _is_ours(standing: Standing, claimed: Claimed) -> bool:
    return standing.fence == claimed.fence and standing.state == State.WORKING


async def _attempt(call: Callable[..., object], **arguments: Any) -> None:
    try:
        await run_db(call, **arguments)
    except AegisError:
        # Somebody was faster; what is left shows at the next turn.
        return
    except Exception:  # one run must not keep the others waiting
        logger.exception("A run was not swept", extra={"action": "sweep_failed", **arguments})
