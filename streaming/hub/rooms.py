"""How far the components of a session are, for a replay that must not run ahead of them."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from streaming.hub import delivery
from streaming.hub.connection import Connection
from streaming.hub.line import Line
from streaming.hub.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Progress:
    """
    One connected component: whether it runs, and what it has not had or not committed (records).

    ``is_left_behind`` says that it made a replay wait too long and is not waited for any more.
    """

    component_id: str
    is_running: bool
    behind: int
    uncommitted: int
    is_left_behind: bool


class Rooms:
    """Lets drivers wait for the slowest of those who run."""

    def __init__(self, *, block_seconds: float) -> None:
        self._block_seconds = block_seconds
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def stirred(self, session_id: str) -> None:
        """Look again: a connection of this session took something, came or went."""
        for waiting in self._waiting.get(session_id, ()):
            waiting.set()

    async def wait(
        self, session_id: str, is_true: Callable[[], bool], *, wait_seconds: float
    ) -> bool:
        """Wait at most so long until it is true; whether it is."""
        if is_true() or wait_seconds <= 0:
            return is_true()
        stirred = asyncio.Event()
        self._waiting.setdefault(session_id, set()).add(stirred)
        try:
            async with asyncio.timeout(wait_seconds):
                while not is_true():
                    await stirred.wait()
                    stirred.clear()
        except TimeoutError:
            return is_true()
        finally:
            self._waiting[session_id].discard(stirred)
            if not self._waiting[session_id]:
                del self._waiting[session_id]
        return True

    def have_room(self, connections: Collection[Connection]) -> bool:
        """Whether somebody runs, and all who run and are waited for can take more."""
        # Each is asked, because that also notes since when it has had no room.
        answers = [
            self._is_no_hindrance(one, is_well=behind(one) < delivery.room(one))
            for one in connections
            if one.is_open
        ]
        return bool(answers) and all(answers)

    def have_committed(self, connections: Collection[Connection]) -> bool:
        """Whether somebody runs, and all who run and are waited for have committed everything."""
        answers = [
            self._is_no_hindrance(one, is_well=has_committed(one))
            for one in connections
            if one.is_open
        ]
        return bool(answers) and all(answers)

    def progress(self, connection: Connection) -> Progress:
        """Where one connection is."""
        held = connection.subscriptions.values()
        return Progress(
            component_id=connection.seat.component_id,
            is_running=connection.is_open,
            behind=behind(connection),
            uncommitted=sum(one.next - 1 - one.committed for one in held),
            is_left_behind=self._is_left_behind(connection),
        )

    def _is_no_hindrance(self, connection: Connection, *, is_well: bool) -> bool:
        if is_well:
            connection.held_since = None
            return True
        if connection.held_since is None:
            connection.held_since = connection.loop.time()
        return self._is_left_behind(connection)

    def _is_left_behind(self, connection: Connection) -> bool:
        since = connection.held_since
        return since is not None and connection.loop.time() - since > self._block_seconds


def behind(connection: Connection) -> int:
    """How many records of a clock's topics the connection has not been sent yet."""
    return sum(max(0, one.line.log.head - one.next + 1) for one in _followed(connection))


def has_committed(connection: Connection) -> bool:
    """Whether a connection has committed all that its clock's topics have, as far as it can."""
    if not connection.is_free or behind(connection):
        return False
    held = _followed(connection)
    return not connection.seat.extended or all(one.committed == one.next - 1 for one in held)


def _followed(connection: Connection) -> list[Subscription]:
    held = connection.subscriptions.values()
    return [one for one in held if one.line.log.is_ordered and one.is_live]


def is_delivered(connections: Collection[Connection]) -> bool:
    """Whether all who run have been sent everything that their clocks have reached."""
    return all(one.is_free and not behind(one) for one in connections if one.is_open)


def have_ended(lines: Iterable[Line]) -> bool:
    """Whether nobody who follows these topics is still to have the END."""
    return all(one.ending is None for line in lines for one in line.subscriptions)
