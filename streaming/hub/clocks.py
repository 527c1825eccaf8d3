"""What a clock must know of those who follow it: whether they take more, have it, had the end."""

from collections.abc import Collection, Iterable

from streaming.hub.line import Line
from streaming.hub.rooms import Progress, Rooms, have_ended, is_delivered
from streaming.hub.topics import Topics


class Clocks(Topics):
    """The replays' side of the hub."""

    rooms: Rooms

    async def room(self, session_id: str, *, wait_seconds: float = 0) -> bool:
        """
        Whether a component of the session runs, and all that run can take more; wait for it.

        One that has had no room for too long is not waited for until it has caught up.
        """
        self._catch_up(self.board.of(session_id))
        return await self.rooms.wait(
            session_id,
            lambda: self.rooms.have_room(self.seats.in_session(session_id)),
            wait_seconds=wait_seconds,
        )

    async def is_committed(self, session_id: str, *, wait_seconds: float = 0) -> bool:
        """
        Whether a component runs, and all that run have committed all there is; wait for it.

        One that has not for too long is not waited for until it has. Who cannot commit, a
        component that registered without ``proto``, counts as soon as everything was sent.
        """
        self._catch_up(self.board.of(session_id))
        return await self.rooms.wait(
            session_id,
            lambda: self.rooms.have_committed(self.seats.in_session(session_id)),
            wait_seconds=wait_seconds,
        )

    async def is_delivered(self, session_id: str, *, wait_seconds: float = 0) -> bool:
        """Whether all components that run were sent all that the clock has reached; wait for it."""
        self._catch_up(self.board.of(session_id))
        return await self.rooms.wait(
            session_id,
            lambda: is_delivered(self.seats.in_session(session_id)),
            wait_seconds=wait_seconds,
        )

    async def conclude(
        self, session_id: str, names: Collection[str], *, reason: str, wait_seconds: float = 0
    ) -> bool:
        """
        Tell END for good of topics that begin anew; whether all subscribers have been told.

        Those whose gates are closed, or who have not taken the rest in time, are told what is cut.
        """
        keys = [key for name in names if (key := (session_id, name)) in self.board.lines]
        for key in keys:
            await self.end(key, reason, final=True)
        self.flusher.flush()
        lines = [self.board.lines[key] for key in keys]
        return await self.rooms.wait(
            session_id, lambda: have_ended(lines), wait_seconds=wait_seconds
        )

    def progress(self, session_id: str) -> list[Progress]:
        """How far the connected components of a session are."""
        return [self.rooms.progress(one) for one in self.seats.in_session(session_id)]

    def _catch_up(self, lines: Iterable[Line]) -> None:
        self.flusher.mark_moved(lines)
        self.flusher.flush()
