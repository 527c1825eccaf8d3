"""The driver of historical sessions: it lets their clocks run."""

import asyncio
import contextlib
import logging
from typing import Any
from uuid import UUID

from aegis_project import database
from aegis_project.database import read_db, run_db
from aegis_project.kit import principal
from aegis_project.kit.errors import AegisError, InvalidState
from components import selectors
from sessions.services import lifecycle, replays
from sessions.services.replays import Claimed
from streaming.engines.replay import ReplayView
from streaming.engines.replay_engine import ReplayEngine
from streaming.hints import Hint
from streaming.node import Node

logger = logging.getLogger(__name__)

SYSTEM = principal.system("replay").via("job")
# How far the clock goes at once when nobody asks for a speed, in records.
STRIDE = 1024
SAVE_SECONDS = 1.0
# The longest the clock sleeps, so that a pause or a stop is seen soon.
NAP_SECONDS = 0.05
# How often it is looked whether somebody has come back who is still to have the end.
LOOK_SECONDS = 0.2


class Driver:
    """Claim the clocks that are due and drive each in a task of its own."""

    name = "driver"
    period_seconds = 1.0

    def __init__(self, engine: ReplayEngine) -> None:
        self.engine = engine
        self._drives: dict[UUID, asyncio.Task[None]] = {}

    @staticmethod
    def of(node: Node) -> "Driver":
        """The driver of a node."""
        job = node.job(Driver.name)
        assert isinstance(job, Driver)  # noqa: S101 -- the composition put it there
        return job

    def wants(self, hint: Hint) -> bool:
        return hint.kind in {"lever", "moved"}

    async def run(self, node: Node) -> None:
        """Start what is due and not driven, stop what is driven and not due."""
        due = set(await read_db(replays.due))
        for replay_id in due - self._drives.keys():
            await self._start(node, replay_id)
        for replay_id in self._drives.keys() - due:
            self._drives[replay_id].cancel()

    async def stop(self) -> None:
        """Let every clock stand where it is, for any process to take."""
        for task in self._drives.values():
            task.cancel()
        await asyncio.gather(*self._drives.values(), return_exceptions=True)

    async def _start(self, node: Node, replay_id: UUID) -> None:
        if node.lease_id is None or node.is_draining:
            return
        claimed = await run_db(replays.claim, replay_id=replay_id, lease_id=node.lease_id)
        if claimed is not None:
            task = asyncio.create_task(self._drive(node, claimed), name=f"aegis-drive-{replay_id}")
            self._drives[replay_id] = task
            task.add_done_callback(lambda _: self._drives.pop(replay_id, None))

    async def _drive(self, node: Node, claimed: Claimed) -> None:
        try:
            view = await self.engine.view(str(claimed.session_id))
            if view is not None:
                await Drive(node, view, claimed).run()
        except AegisError as error:
            await run_db(_fail, claimed, error)
        except Exception:  # the clock stands, the next turn of the job takes it up again
            logger.exception("A replay failed", extra={"action": "replay_failed"})


class Drive:
    """One clock, run as its speed and its subscribers allow."""

    def __init__(self, node: Node, view: ReplayView, claimed: Claimed) -> None:
        self.node = node
        self.view = view
        self.claimed = claimed
        self._loop = asyncio.get_running_loop()
        self._saved_at = self._looked_at = self._loop.time()
        # Where the clock is between two records, in unix milliseconds.
        self._clock: float | None = None
        self._reported = 0

    async def run(self) -> None:
        """Run to the end of the range, or until the task is cancelled or the lease is lost."""
        try:
            # Another process may have moved the clock on since this one loaded its view.
            await self.view.advance(count=self.claimed.n - self.view.n)
            while await self.view.peek() is not None:
                await self._wait_for_room()
                await self._step()
                self.node.hub.set_clock(str(self.claimed.session_id), self.view.ts)
                if not await self._save():
                    return
            await self._finish()
        finally:
            await asyncio.shield(run_db(replays.release, **self._own(), **self._stand()))

    async def _wait_for_room(self) -> None:
        """Wait while nobody runs, or while the slowest of those who run has enough to take."""
        if await self.node.hub.room(str(self.claimed.session_id)):
            return
        while not await self.node.hub.room(str(self.claimed.session_id), wait_seconds=SAVE_SECONDS):
            if not await self._save():
                raise asyncio.CancelledError
        # The time that was waited is not time of the session.
        self._looked_at = self._loop.time()

    async def _step(self) -> None:
        if self.claimed.speed == 0:
            await self.view.advance(count=STRIDE)
            return
        upcoming = await self.view.peek()
        if upcoming is None:
            return
        now = self._tick(upcoming.ts)
        if upcoming.ts > now:
            await asyncio.sleep(min((upcoming.ts - now) / 1000 / self.claimed.speed, NAP_SECONDS))
        else:
            await self.view.advance(until_ts=int(now))

    def _tick(self, first: int) -> float:
        before, self._looked_at = self._looked_at, self._loop.time()
        if self._clock is None:
            self._clock = float(self.view.ts if self.view.ts is not None else first)
        else:
            self._clock += (self._looked_at - before) * 1000 * self.claimed.speed
        return self._clock

    async def _save(self) -> bool:
        now = self._loop.time()
        if now - self._saved_at < SAVE_SECONDS:
            return True
        self._saved_at = now
        self._report()
        return await run_db(replays.save, **self._own(), **self._stand())

    async def _finish(self) -> None:
        """Complete the session once everybody who takes part has had the last record."""
        while not await self._is_everybody_served():
            if not await self._save():
                return
            await asyncio.sleep(LOOK_SECONDS)
        self._report()
        result = {name: end.seq for name, end in self.view.receipts().items()}
        place = {**self._own(), **self._stand()}
        await run_db(_complete, self.claimed.session_id, place, result)

    def _report(self) -> None:
        """Log the bad rows that were met since the last time, as far as they are kept."""
        rows = self.view.report.rows
        for row in rows[self._reported :]:
            logger.warning(
                "%s, line %d was skipped: %s",
                row.file,
                row.line,
                row.reason,
                extra={"action": "row_skipped", "session_id": str(self.claimed.session_id)},
            )
        self._reported = len(rows)

    async def _is_everybody_served(self) -> bool:
        hub, session_id = self.node.hub, str(self.claimed.session_id)
        await hub.is_delivered(session_id, wait_seconds=SAVE_SECONDS)
        # It also notes since when somebody takes nothing, who is then not waited for.
        await hub.room(session_id)
        awaited = await read_db(selectors.awaited, session_id, lease_id=self.node.lease_id)
        served = {
            one.component_id
            for one in hub.progress(session_id)
            if one.is_running and (not one.behind or one.is_left_behind)
        }
        return awaited <= served

    def _own(self) -> dict[str, Any]:
        return {"replay_id": self.claimed.replay_id, "fence": self.claimed.fence}

    def _stand(self) -> dict[str, Any]:
        view = self.view
        return {
            "n": view.n,
            "clock": view.ts,
            "checkpoint": view.checkpoint(),
            "bad_rows": view.report.count,
        }


def _complete(session_id: UUID, place: dict[str, Any], result: dict[str, int]) -> None:
    # Either both or none: an exhausted clock of a session that runs would never be taken up.
    with contextlib.suppress(InvalidState), database.atomic():
        if replays.save(**place, is_exhausted=True):
            bad = place["bad_rows"]
            reason = f"data exhausted, {bad} bad rows skipped" if bad else "data exhausted"
            lifecycle.complete(principal=SYSTEM, session=session_id, result=result, reason=reason)


def _fail(claimed: Claimed, error: AegisError) -> None:
    # Somebody may have closed the session meanwhile.
    with contextlib.suppress(InvalidState):
        lifecycle.fail(principal=SYSTEM, session=claimed.session_id, error=error.as_dict())


async def load_view(session_id: str) -> ReplayView | None:
    """The view of a session's source with its clock where it was saved; None without a source."""
    place = await read_db(replays.place, session_id)
    if place is None:
        return None
    return await ReplayView.open(
        place.source,
        session_id=session_id,
        epochs=place.epochs,
        n=place.n,
        checkpoint=place.checkpoint,
    )
