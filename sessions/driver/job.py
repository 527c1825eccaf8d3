"""The job that claims the clocks that are due and drives each in a task of its own."""

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from aegis_project.database import read_db, run_db
from aegis_project.kit import principal
from aegis_project.kit.errors import AegisError
from sessions.driver.drive import Drive
from sessions.driver.views import Views
from sessions.selectors import clocks
from sessions.selectors.clocks import Due
from sessions.services import driving
from streaming.engines.replay_engine import ReplayEngine
from streaming.hints import Hint
from streaming.node import Node

logger = logging.getLogger(__name__)

SYSTEM = principal.system("replay").via("job")


@dataclass(frozen=True, slots=True)
class _Driven:
    """A clock that this process moves, and the task that does."""

    drive: Drive
    task: asyncio.Task[None]


class Driver:
    """Drive what is due; let go of what is not, or was claimed or changed by somebody else."""

    name = "driver"
    period_seconds = 1.0

    def __init__(self, engine: ReplayEngine) -> None:
        self.engine = engine
        self._driven: dict[UUID, _Driven] = {}

    @staticmethod
    def of(node: Node) -> "Driver":
        """The driver of a node."""
        job = node.job(Driver.name)
        assert isinstance(job, Driver)  # noqa: S101 -- the composition put it there
        return job

    def wants(self, hint: Hint) -> bool:
        return hint.kind in {"lever", "moved"}

    async def run(self, node: Node) -> None:
        """Bring what is driven here up to what is due."""
        due = await self._ours(node, await read_db(clocks.due))
        over = [one for pk, one in self._driven.items() if not _goes_on(one.drive, due.get(pk))]
        for one in over:
            one.task.cancel()
        await asyncio.gather(*(one.task for one in over), return_exceptions=True)
        await self._follow(Views(node.hub, self.engine))
        for replay_id in due.keys() - self._driven.keys():
            await self._start(node, replay_id)

    async def _ours(self, node: Node, due: dict[UUID, Due]) -> dict[UUID, Due]:
        """Without those whose components are all connected elsewhere: who has them must wait."""
        strange = {one.session_id for one in due.values()}
        strange -= {one for one in strange if node.hub.seats.in_session(one)}
        theirs = await read_db(clocks.followed, strange) if strange else set()
        return {pk: one for pk, one in due.items() if one.session_id not in theirs}

    async def _follow(self, views: Views) -> None:
        """Let the views of clocks that are not driven here come after them."""
        driven = {str(one.drive.claimed.session_id) for one in self._driven.values()}
        followed = set(self.engine.sessions) - driven
        if not followed:
            return
        standings = await read_db(clocks.standings, followed)
        for session_id, standing in standings.items():
            try:
                await views.follow(session_id, standing)
            except AegisError as error:
                logger.warning("A replay cannot be followed: %s", error.message)

    async def stop(self) -> None:
        """Let every clock stand where it is, for any process to take."""
        tasks = [one.task for one in self._driven.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self, node: Node, replay_id: UUID) -> None:
        if node.lease_id is None or node.is_draining:
            return
        claimed = await run_db(driving.claim, replay_id=replay_id, lease_id=node.lease_id)
        if claimed is not None:
            drive = Drive(node, Views(node.hub, self.engine), claimed)
            task = asyncio.create_task(_carry_out(drive), name=f"aegis-drive-{replay_id}")
            self._driven[replay_id] = _Driven(drive, task)
            task.add_done_callback(lambda _: self._driven.pop(replay_id, None))


def _goes_on(drive: Drive, due: Due | None) -> bool:
    if due is None or due.fence != drive.claimed.fence:
        return False
    drive.pace.speed = due.speed
    return True


async def _carry_out(drive: Drive) -> None:
    try:
        await drive.run()
    except AegisError as error:
        await drive.fail(error)
    except Exception:  # the clock stands, the next turn of the job takes it up again
        logger.exception("A replay failed", extra={"action": "replay_failed"})
