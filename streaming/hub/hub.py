"""The hub of a process: who is connected, and what goes out on their sockets."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aegis_project.kit.errors import AegisError
from aegis_project.kit.seat import Seat
from streaming.core import frames
from streaming.core.errors import (
    CloseCode,
    ConnectionReplaced,
    Draining,
    SessionOver,
    StoreDown,
    error_of,
)
from streaming.core.frames import Frame
from streaming.core.messages import Commit, Hold, Id, Request
from streaming.core.position import Position
from streaming.engines.base import Engine, Key
from streaming.engines.rulebook import RuleBook
from streaming.hub import rounds, subscribing
from streaming.hub.clocks import Clocks
from streaming.hub.commits import Commits
from streaming.hub.connection import Connection, Send
from streaming.hub.figures import HubFigures
from streaming.hub.limits import Limits
from streaming.hub.line import Line
from streaming.hub.losses import Losses
from streaming.hub.rooms import Rooms
from streaming.hub.subscription import Ending
from streaming.hub.topics import mint, wall_ms
from streaming.hub.watch import Watch


class Hub(Clocks):
    """
    Publishes and delivers.

    A published record is appended to its log and the subscriptions of that log are served
    together: there is no task, queue or copy per subscriber, only a cursor. Registrations are
    told apart by their fence: a call for an older one than is connected does nothing, one for a
    newer one closes the connection 4007.
    """

    def __init__(
        self,
        *,
        engines: Sequence[Engine] = (),
        rules: RuleBook | None = None,
        limits: Limits | None = None,
        clock: Callable[[], int] = wall_ms,
        mint: Callable[[], str] = mint,
    ) -> None:
        super().__init__(engines=engines, rules=rules, limits=limits, clock=clock, mint=mint)
        self.rooms = Rooms(block_seconds=self.limits.block_seconds)
        self.commits = Commits()
        self.watch = Watch()
        self.losses = Losses()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rounds: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to look after connections, and to follow the engines that others write to."""
        shared = [engine for engine in self.board.engines if engine.is_shared]
        work = [rounds.go_round(self), *(rounds.watch(self, engine) for engine in shared)]
        self._rounds = [asyncio.create_task(one) for one in work]

    async def stop(self, *, retry_ms: Callable[[], int] = lambda: 0) -> None:
        """Tell every connection to come back (in so many ms), close it 4200, and stop."""
        for connection in self.seats:
            connection.refuse(Draining(retry_ms=retry_ms()))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.limits.goodbye_seconds)
        for connection in self.seats:
            connection.cut(Draining(retry_ms=retry_ms()))
        self.flusher.stop()
        for task in (*self._rounds, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._rounds, *self._tasks, return_exceptions=True)
        await self.board.close()

    # Connections

    def connect(
        self,
        seat: Seat,
        send: Send,
        *,
        is_open: bool = False,
        unsent: Callable[[], int] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> Connection:
        """
        Give a seat its connection, in place of an older one.

        ``send`` takes ASGI messages; ``unsent`` tells the bytes that wait in a server without
        back-pressure; ``abandon`` is called when the socket can no longer be closed properly.

        :raises ConnectionReplaced: when a newer registration of the component is connected
        :raises OverCapacity: when the process holds as many connections as it may
        :raises StoreDown: when a shared store has been away for long
        """
        if not seat.is_historical and self.board.is_away(self.limits.away_seconds):
            raise StoreDown
        connection = Connection(seat, send, self, is_open=is_open, unsent=unsent, abandon=abandon)
        self.seats.admit(connection)
        return connection

    async def subscribe(
        self,
        seat: Seat,
        send: Send,
        topics: Sequence[Request | str],
        *,
        ref: Id = None,
    ) -> Frame:
        """
        Subscribe, and send the answer, SUBSCRIBED, before the first record; also returned.

        A seat that is not connected with this ``send`` yet is connected, its gate open.

        :raises ConnectionReplaced: when a newer registration of the component is connected
        """
        connection = self.seats.of(seat.component_id)
        if connection is None or connection.send != send:
            connection = self.connect(seat, send, is_open=True)
        connection.has_asked = True
        requests = [Request(one) if isinstance(one, str) else one for one in topics]
        return await subscribing.subscribe(self.board, connection, requests, ref=ref)

    def unsubscribe(self, connection: Connection, names: Sequence[str]) -> list[str]:
        """Deliver topics or patterns no longer; those that were subscribed."""
        gone = []
        for name in names:
            held = connection.subscriptions.values()
            ended = [one for one in held if name in {one.line.key[1], one.pattern}]
            for subscription in ended:
                connection.drop(subscription)
            if connection.patterns.pop(name, None) is not None or ended:
                gone.append(name)
        return gone

    def hold(self, connection: Connection, hold: Hold) -> bool:
        """Pause or resume the delivery of a topic; whether it is subscribed."""
        subscription = connection.subscriptions.get(hold.topic)
        if subscription is None:
            return False
        subscription.pause(is_paused=hold.is_paused)
        connection.pump()
        self.stirred(connection)
        return True

    def commit(self, connection: Connection, commit: Commit) -> None:
        """Take notice of what a component has processed, and go on within its window."""
        self.commits.note(connection, commit)
        connection.pump()
        self.stirred(connection)

    async def take_commits(self) -> list[tuple[str, Key, Position]]:
        """The places committed since the last call: component id, topic, position."""
        return await self.commits.take()

    # What is decided elsewhere about components and sessions

    def seated(self) -> list[str]:
        """Who has a data socket here, by component id."""
        return self.seats.components()

    def is_seated(self, component_id: str) -> bool:
        """Whether this component has a data socket here."""
        return self.seats.of(component_id) is not None

    def tokens(self) -> dict[Connection, str]:
        """The credentials of those connections that have one other than their component's."""
        return self.seats.tokens()

    async def prepare(self, component_id: str, *, fence: int) -> None:
        """
        Subscribe the registered topics of a component that is READY and has not asked.

        :raises AegisError: when one cannot be had now; another call asks for it again
        """
        connection = self._held(component_id, fence)
        if connection is not None and not connection.is_prepared and not connection.has_asked:
            connection.is_prepared = True
            try:
                await subscribing.prepare(self.board, connection)
            except AegisError:
                connection.is_prepared = False
                raise

    async def gate(self, component_id: str, *, is_open: bool, fence: int) -> None:
        """
        Open or close a component's gate; a closed gate delivers nothing and moves no cursor.

        What was published before it closes still goes out, as far as the connection takes it.
        """
        connection = self._held(component_id, fence)
        if connection is None or connection.is_open == is_open:
            return
        if is_open:
            await self.prepare(component_id, fence=fence)
        else:
            self._catch_up(one.line for one in connection.subscriptions.values())
        connection.is_open = is_open
        connection.pump()
        self.stirred(connection)

    async def release(
        self, component_id: str, *, fence: int, reason: str, is_over: bool = False
    ) -> None:
        """Tell a stopped component END per topic, then close it: 4005 when the session is over."""
        connection = self._held(component_id, fence)
        if connection is not None:
            await self._end(connection, reason=reason, is_over=is_over)

    async def release_session(self, session_id: str, *, reason: str, is_over: bool) -> None:
        """Release every component of a session."""
        for connection in self.seats.in_session(session_id):
            await self._end(connection, reason=reason, is_over=is_over)

    async def close(self, component_id: str, *, code: CloseCode, fence: int) -> None:
        """Close a component's socket with a code, after the ERROR that it stands for."""
        connection = self._held(component_id, fence)
        error = error_of(code)
        if connection is not None and error is not None:
            connection.refuse(error)
        elif connection is not None:
            connection.drop_all()
            connection.finish(code)

    async def _end(self, connection: Connection, *, reason: str, is_over: bool) -> None:
        for subscription in tuple(connection.subscriptions.values()):
            log = subscription.line.log
            await log.refresh()
            if subscription.is_ended:
                connection.drop(subscription)
            else:
                subscription.end_at(Ending(log.position, reason, is_over))
                self.flusher.mark(subscription.line)
        farewell = frames.error(SessionOver()) if is_over else None
        connection.finish(
            CloseCode.SESSION_OVER if is_over else CloseCode.NORMAL, farewell=farewell
        )

    def _held(self, component_id: str, fence: int) -> Connection | None:
        connection = self.seats.of(component_id, fence=fence)
        if connection is not None and connection.seat.fence < fence:
            connection.refuse(ConnectionReplaced())
            return None
        return connection

    # What connections tell

    def mark(self, line: Line) -> None:
        self.flusher.mark(line)

    def again(self, connection: Connection) -> None:
        self.flusher.again(connection)

    def stirred(self, connection: Connection) -> None:
        self.rooms.stirred(connection.seat.session_id)

    def widened(self, connection: Connection) -> None:
        self.seats.wide.add(connection)

    def gone(self, connection: Connection) -> None:
        self.seats.leave(connection)
        self.stirred(connection)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def figures(self) -> HubFigures:
        """The totals of this process since its lines were opened."""
        counters = [line.counters for line in self.board.lines.values()]
        return HubFigures(
            connections=len(self.seats),
            topics=len(counters),
            deliveries=sum(one.deliveries for one in counters),
            gaps=sum(one.gaps for one in counters),
            dropped=sum(one.dropped for one in counters),
            published=sum(one.published for one in counters),
            flushes=self.flusher.flushes,
            flush_seconds=self.flusher.seconds,
        )
