"""The views of this process: opened where a clock stands, and anew where it was set."""

from aegis_project.database import read_db
from sessions.selectors.clocks import Standing
from sessions.services import replays
from sessions.services.replays import Place
from streaming.engines.replay import ReplayView
from streaming.engines.replay_engine import ReplayEngine
from streaming.hub import Hub

# How long subscribers have to take what is left of topics that begin anew.
LAST_SECONDS = 5.0


async def load_view(session_id: str) -> ReplayView | None:
    """The view of a session's source with its clock where it was saved; None without a source."""
    place = await read_db(replays.place, session_id)
    return None if place is None else await _open(session_id, place)


async def _open(session_id: str, place: Place) -> ReplayView:
    return await ReplayView.open(
        place.source,
        session_id=session_id,
        epochs=place.epochs,
        n=place.n,
        checkpoint=place.checkpoint,
        base=place.base,
        generation=place.generation,
    )


class Views:
    """Shows in a hub what the clocks of an engine let be seen."""

    def __init__(self, hub: Hub, engine: ReplayEngine) -> None:
        self.hub = hub
        self.engine = engine

    async def current(self, session_id: str, *, generation: int) -> ReplayView | None:
        """
        The view of a session as it is now; one of an earlier generation is replaced.

        :raises AegisError: when its files cannot be found or read
        """
        view = await self.engine.view(session_id)
        if view is None or view.generation == generation:
            return view
        place = await read_db(replays.place, session_id)
        if place is None:
            return None
        fresh = await _open(session_id, place)
        if place.base is None:
            # A restart; of a clock that was merely set nothing has ended.
            await self.hub.conclude(
                session_id, view.topics, reason="restarted", wait_seconds=LAST_SECONDS
            )
        return await self.show(fresh)

    async def follow(self, session_id: str, standing: Standing) -> None:
        """
        Show what was saved of a clock that is not driven here.

        :raises AegisError: when its files cannot be found or read
        """
        view = await self.current(session_id, generation=standing.generation)
        if view is not None and view.n < standing.n:
            await view.advance(count=standing.n - view.n)
            self.hub.set_clock(session_id, standing.clock)

    async def show(self, view: ReplayView) -> ReplayView:
        """Let subscribers see this view from now on, in place of an older one."""
        before = self.engine.attach(view)
        if before is not None and before is not view:
            await before.close()
        # Who follows is told now, and not with the next record, which may be far away.
        await self.hub.room(view.session_id)
        return view
