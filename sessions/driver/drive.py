"""One clock, run as its speed, its steps and those who follow it allow."""

import asyncio
import contextlib
import logging
from typing import Any

from aegis_project import database
from aegis_project.database import read_db, run_db
from aegis_project.kit import principal
from aegis_project.kit.errors import AegisError, InvalidState
from components import selectors
from sessions.core.errors import SessionNotFound
from sessions.core.pace import Meter, Pace
from sessions.driver.views import Views
from sessions.models import Session
from sessions.selectors import clocks
from sessions.services import driving, lifecycle, replays
from sessions.services.driving import Claimed
from streaming.engines import replay_seek
from streaming.engines.replay import ReplayView, Upcoming
from streaming.hub.rooms import Progress
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
# Twice as long as another process takes to look where this clock stands.
FOLLOW_SECONDS = 2.0
# Somebody may have closed or deleted the session meanwhile.
MOVED_ON = (InvalidState, SessionNotFound)


class Drive:
    """A claimed clock; ``view`` is what it shows, ``steps`` the ticks that are left of a step."""

    view: ReplayView

    def __init__(self, node: Node, views: Views, claimed: Claimed) -> None:
        self.claimed = claimed
        self.pace = Pace(speed=claimed.speed, clock=claimed.clock)
        self.meter = Meter()
        self.achieved: float | None = None
        self.steps = claimed.steps
        self._hub = node.hub
        self._lease_id = node.lease_id
        self._views = views
        self._session_id = str(claimed.session_id)
        self._loop = asyncio.get_running_loop()
        self._saved_at = self._loop.time()
        self._reported = 0
        # Whether the clock stands as far as it was saved, so that it may be saved again.
        self._is_current = False

    async def run(self) -> None:
        """Run to the end of the range, or until the task is cancelled or the lease is lost."""
        view = await self._views.current(self._session_id, generation=self.claimed.generation)
        if view is None:
            return
        self.view = view
        try:
            # Another process may have moved the clock on since this one loaded its view.
            await self.view.advance(count=self.claimed.n - self.view.n)
            self._is_current = True
            if self.claimed.seek_to is not None:
                await self._seek(self.claimed.seek_to)
            if self.claimed.is_running:
                await self._go()
        finally:
            stand = self._stand() if self._is_current else {}
            await asyncio.shield(run_db(driving.release, **self._own(), **stand))

    async def fail(self, error: AegisError) -> None:
        """Fail the session, whose source can be read no more."""
        await run_db(_fail, self.claimed, error)

    async def _seek(self, ts: int) -> None:
        target = await replay_seek.find(
            self.view, ts, mint=replays.new_epoch, is_sure=self.claimed.is_sure
        )
        self._is_current = False
        if not await run_db(driving.set_to, **self._own(), before=self.view.n, target=target):
            raise asyncio.CancelledError
        self.view = await replay_seek.reopen(
            self.view, target, generation=self.claimed.generation + 1
        )
        self.pace = Pace(speed=self.pace.speed, clock=ts)
        self._is_current = True
        await self._views.show(self.view)
        self._hub.set_clock(self._session_id, ts)

    async def _go(self) -> None:
        while (upcoming := await self.view.peek()) is not None:
            if self.steps == 0:
                await self._pause()
                return
            await self._wait_for_others()
            if self.steps is not None:
                await self._step()
            elif self.claimed.is_in_step or self.pace.speed:
                await self._run_up_to(upcoming)
            else:
                self.pace.stand()
                await self.view.advance(count=STRIDE)
            self._hub.set_clock(self._session_id, self.pace.reach(self.view.ts))
            self._measure()
            if not await self._save():
                return
        self._measure(is_last=True)
        await self._finish()

    def _measure(self, *, is_last: bool = False) -> None:
        clock = self.pace.reach(self.view.ts)
        self.achieved = self.meter.read(self._loop.time(), clock, is_last=is_last)

    async def _wait_for_others(self) -> None:
        """Wait while nobody runs, or while the slowest who runs has enough, or has not committed."""
        is_there = self._hub.is_committed if self.claimed.is_in_step else self._hub.room
        if await is_there(self._session_id):
            return
        while not await is_there(self._session_id, wait_seconds=SAVE_SECONDS):
            self._measure()
            if not await self._save():
                raise asyncio.CancelledError
        self.pace.stand()

    async def _step(self) -> None:
        """Let the clock go one tick: everything at the next of its times."""
        self.pace.stand()
        upcoming = await self.view.peek()
        if upcoming is None or self.steps is None:
            return
        await self.view.advance(until_ts=upcoming.ts)
        self.steps -= 1
        # What is left must stand beside where the clock is.
        self._saved_at = 0.0

    async def _run_up_to(self, upcoming: Upcoming) -> None:
        """Let the clock go to where it is by now; in step with others one tick at the most."""
        now = self.pace.tick(self._loop.time(), upcoming=upcoming.ts)
        if self.pace.speed and upcoming.ts > now:
            await asyncio.sleep(min(self.pace.seconds_until(upcoming.ts), NAP_SECONDS))
        elif self.claimed.is_in_step:
            await self.view.advance(until_ts=upcoming.ts)
        else:
            await self.view.advance(until_ts=int(now))

    async def _save(self) -> bool:
        now = self._loop.time()
        if now - self._saved_at < SAVE_SECONDS:
            return True
        self._saved_at = now
        self._report()
        return await run_db(driving.save, **self._own(), **self._stand())

    async def _pause(self) -> None:
        """Pause the session once everybody who runs has had the last tick."""
        while not await self._hub.is_delivered(self._session_id, wait_seconds=SAVE_SECONDS):
            if not await self._save():
                return
            # It also notes since when somebody takes nothing, who is then not waited for.
            await self._hub.room(self._session_id)
            if all(_is_served(one) for one in self._hub.progress(self._session_id)):
                break
        self.steps = None
        await run_db(_pause, self.claimed, {**self._own(), **self._stand()})

    async def _finish(self) -> None:
        """Complete the session once everybody who takes part has had the last record, or loop."""
        while not await self._is_everybody_served():
            if not await self._save():
                return
            await asyncio.sleep(LOOK_SECONDS)
        await self._let_others_follow()
        self._report()
        place = {**self._own(), **self._stand()}
        # Where there is not one record it would begin anew for ever.
        if self.claimed.is_looping and self.view.n:
            await run_db(_loop, self.claimed, place)
        else:
            result = {name: end.seq for name, end in self.view.receipts().items()}
            await run_db(_complete, self.claimed, place, result)

    async def _let_others_follow(self) -> None:
        """Give processes that show what is saved of this clock a turn, before they hear its end."""
        session_id, lease_id = self.claimed.session_id, self._lease_id
        if await read_db(clocks.is_followed_elsewhere, session_id, lease_id=lease_id):
            self._saved_at = 0.0
            await self._save()
            await asyncio.sleep(FOLLOW_SECONDS)

    def _report(self) -> None:
        """Log the bad rows that were met since the last time, as far as they are kept."""
        rows = self.view.report.rows
        for row in rows[self._reported :]:
            logger.warning(
                "%s, line %d was skipped: %s",
                row.file,
                row.line,
                row.reason,
                extra={"action": "row_skipped", "session_id": self._session_id},
            )
        self._reported = len(rows)

    async def _is_everybody_served(self) -> bool:
        hub, session_id = self._hub, self._session_id
        await hub.is_delivered(session_id, wait_seconds=SAVE_SECONDS)
        # It also notes since when somebody takes nothing, who is then not waited for.
        await hub.room(session_id)
        awaited = await read_db(selectors.awaited, session_id, lease_id=self._lease_id)
        served = {
            one.component_id
            for one in hub.progress(session_id)
            if one.is_running and _is_served(one)
        }
        return awaited <= served

    def _own(self) -> dict[str, Any]:
        return {"replay_id": self.claimed.replay_id, "fence": self.claimed.fence}

    def _stand(self) -> dict[str, Any]:
        view = self.view
        return {
            "n": view.n,
            "clock": self.pace.reach(view.ts),
            "checkpoint": view.checkpoint(),
            "bad_rows": view.report.count,
            "steps": self.steps,
            "achieved": self.achieved,
        }


def _is_served(one: Progress) -> bool:
    return not one.behind or one.is_left_behind


def _pause(claimed: Claimed, place: dict[str, Any]) -> None:
    with contextlib.suppress(*MOVED_ON), database.atomic():
        Session.objects.locked(claimed.session_id)
        if driving.save(**place):
            lifecycle.pause(principal=SYSTEM, session=claimed.session_id, reason="stepped")


def _loop(claimed: Claimed, place: dict[str, Any]) -> None:
    with contextlib.suppress(*MOVED_ON), database.atomic():
        Session.objects.locked(claimed.session_id)
        if driving.save(**place):
            lifecycle.restart(principal=SYSTEM, session=claimed.session_id, reason="looped")


def _complete(claimed: Claimed, place: dict[str, Any], result: dict[str, int]) -> None:
    # Either both or none: an exhausted clock of a session that runs would never be taken up.
    with contextlib.suppress(*MOVED_ON), database.atomic():
        Session.objects.locked(claimed.session_id)
        if driving.save(**place, is_exhausted=True):
            bad = place["bad_rows"]
            reason = f"data exhausted, {bad} bad rows skipped" if bad else "data exhausted"
            lifecycle.complete(
                principal=SYSTEM, session=claimed.session_id, result=result, reason=reason
            )


def _fail(claimed: Claimed, error: AegisError) -> None:
    with contextlib.suppress(*MOVED_ON):
        lifecycle.fail(principal=SYSTEM, session=claimed.session_id, error=error.as_dict())
