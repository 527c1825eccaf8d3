"""The topics' side of the hub: publishing, reading and ending them."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from streaming.core.position import Cursor, Position
from streaming.core.resume import Placement, Start
from streaming.engines.base import FRAME_BYTES, FRAME_RECORDS, Engine, Key, Producer, Record, Slice
from streaming.engines.memory import MemoryEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import figures, placing, subscribing
from streaming.hub.board import Board
from streaming.hub.figures import TopicFigures
from streaming.hub.flushing import Flusher
from streaming.hub.limits import Limits
from streaming.hub.line import Line
from streaming.hub.packs import Shelf
from streaming.hub.seats import Seats
from streaming.hub.subscription import Ending

Listener = Callable[[], None]
# Of more publishers of one topic nobody reads the names.
WRITERS = 32


class Hint(Protocol):
    """What the hub must know of a hint."""

    @property
    def kind(self) -> str:
        """What moved."""

    @property
    def id(self) -> str:
        """Whose."""


def wall_ms() -> int:
    """The wall clock in unix milliseconds."""
    return time.time_ns() // 1_000_000


def mint() -> str:
    """A new epoch."""
    return secrets.token_hex(8)


class Topics:
    """
    Topics by key: the session's id and the name.

    All calls come from the node's loop. ``engines`` are asked in their order for a log; the last
    one has a log for every name. ``rules`` are what the sessions say of their topics.
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
        self.limits = limits or Limits()
        self.rules = rules or RuleBook()
        self.flusher = Flusher(floor_seconds=self.limits.floor_seconds, mint=mint)
        self.board = Board(
            engines or (MemoryEngine(),),
            shelf=Shelf(self.limits.shelf_bytes),
            mint=mint,
            on_fetched=self.flusher.mark,
            on_opened=self._announce,
        )
        self.seats = Seats(most=self.limits.connections)
        self._clock = clock
        self._clocks: dict[str, int] = {}
        self._writers: dict[Key, dict[str, None]] = {}
        # Whether whoever reads here should go on elsewhere.
        self.is_over = False

    # Publishing

    def wrote(self, key: Key, writer: str) -> None:
        """Remember who publishes a topic here: the id of a component, or an actor."""
        writers = self._writers.setdefault(key, {})
        if len(writers) < WRITERS:
            writers[writer] = None

    async def publish(
        self, key: Key, records: Sequence[Record], producer: Producer | None = None
    ) -> Position:
        """
        Append records (unix ms, JSON text) and deliver them; the position of the last.

        What a ``producer`` repeats is published once, see :meth:`Log.append`.

        :raises TopicReadOnly: for a topic that Aegis or a source writes
        :raises TopicNotFound: for the ledger or a run that does not exist
        :raises OverCapacity: when the session has too many topics
        """
        line = self.board.lines.get(key) or await self.board.line(key)
        epoch, head = line.log.epoch, line.log.head
        position = await line.log.append(records, producer)
        if position.seq <= head and position.epoch == epoch:
            # It stood there already.
            return position
        line.ending = None
        line.used_at = asyncio.get_running_loop().time()
        counters = line.counters
        counters.published += len(records)
        counters.last_ts = records[-1][0]
        for _, data in records:
            counters.bytes += len(data)
        if not line.is_marked:
            self.flusher.mark(line)
        return position

    def is_prompt(self, key: Key) -> bool:
        """
        Whether what is published now is in its place among all before the call first suspends.

        What suspends sooner is overtaken by what comes after it.
        """
        line = self.board.lines.get(key)
        return line is not None and line.log.is_prompt and self.rules.is_sure(key[0])

    async def end(self, key: Key, reason: str, *, final: bool) -> None:
        """
        Tell every subscriber END after the last record of a topic; the sockets stay.

        Whoever subscribes later gets the END after what is left, until something is published
        again or the log begins anew. For those who had it, only a new epoch begins anew.

        :raises TopicNotFound: when there is no such topic
        """
        line = await self.board.find(key)
        await line.log.refresh()
        # What the log has lost must be told before its END is.
        await placing.follow(line, self.board.mint)
        line.ending = Ending(line.log.position, reason, final)
        for subscription in tuple(line.subscriptions):
            if not subscription.is_ended:
                subscription.end_at(line.ending)
        self.flusher.mark(line)

    def moved(self, key: Key) -> None:
        """Deliver a topic whose log was moved by somebody else."""
        line = self.board.lines.get(key)
        if line is not None:
            self.flusher.mark(line)

    def cut(self, key: Key, start: int) -> None:
        """Take notice that the tape of a topic begins there now."""
        line = self.board.lines.get(key)
        if line is not None:
            line.log.cut(start)

    def hear(self, hint: Hint) -> None:
        """Look at the ledgers, runs and topic rules that a hint may mean."""
        if hint.kind in {"ledger", "moved"}:
            for engine in self.board.engines:
                engine.hear(hint.id)
        if hint.kind in {"lever", "moved"}:
            self.rules.hear(hint.id)

    def now_ms(self, session_id: str = "") -> int:
        """The time of a session in unix milliseconds: its clock's where it has one."""
        return self._clocks.get(session_id) or self._clock()

    def set_clock(self, session_id: str, at_ms: int | None) -> None:
        """Say what time it is in a historical session; ``None`` gives it the wall clock."""
        if at_ms is None:
            self._clocks.pop(session_id, None)
        else:
            self._clocks[session_id] = at_ms

    # Reading

    async def read(
        self, key: Key, after: int, limit: int = FRAME_RECORDS, *, max_bytes: int = FRAME_BYTES
    ) -> Slice | None:
        """
        The records of a topic that follow ``after``, or ``None`` when there is none yet.

        :raises TopicNotFound: when there is no such topic
        """
        line = await self._fresh(key)
        return await line.log.read(after, limit=limit, max_bytes=max_bytes)

    async def bounds(self, key: Key) -> tuple[int, Position]:
        """
        The first seq that can be read, and where the log ends.

        :raises TopicNotFound: when there is no such topic
        """
        log = (await self._fresh(key)).log
        return log.start, log.position

    async def place(self, key: Key, begin: Start, cursor: Cursor | None = None) -> Placement:
        """
        Where a reader goes on who brings this cursor, by the same rule as on the sockets.

        :raises TopicNotFound: when there is no such topic
        """
        return await placing.place((await self._fresh(key)).log, begin, cursor)

    async def listen(self, key: Key, listener: Listener) -> None:
        """
        Call ``listener`` on the loop after each flush in which the topic had moved.

        :raises TopicNotFound: when there is no such topic
        """
        (await self.board.find(key)).listeners.add(listener)

    def unlisten(self, key: Key, listener: Listener) -> None:
        """Stop calling ``listener``."""
        line = self.board.lines.get(key)
        if line is not None:
            line.listeners.discard(listener)

    def dismiss(self) -> None:
        """Tell whoever follows a topic to go on at another process."""
        self.is_over = True
        for line in tuple(self.board.lines.values()):
            for listener in tuple(line.listeners):
                listener()

    async def wait(self, key: Key, after: int, *, timeout_seconds: float) -> bool:
        """
        Wait until a topic has a record after ``after``, at most so long; whether it has.

        :raises TopicNotFound: when there is no such topic
        """
        line = await self._fresh(key)
        moved = asyncio.Event()
        line.listeners.add(moved.set)
        try:
            async with asyncio.timeout(timeout_seconds):
                while line.log.head <= after:
                    await moved.wait()
                    moved.clear()
        except TimeoutError:
            return line.log.head > after
        finally:
            line.listeners.discard(moved.set)
        return True

    def topics(self, session_id: str) -> list[TopicFigures]:
        """The open topics of a session, in alphabetical order."""
        lines = sorted(self.board.of(session_id), key=lambda line: line.key)
        return [figures.of_line(line) for line in lines]

    def writers(self, key: Key) -> list[str]:
        """Who published a topic here: ids of components, and actors."""
        return list(self._writers.get(key, ()))

    def held(self) -> list[tuple[Key, int, Position]]:
        """The topics that this process has to list: first readable seq, and where they end."""
        return [
            (line.key, line.log.start, line.log.position)
            for line in self.board.lines.values()
            # Of what processes share, each lists what was published through it.
            if not line.log.is_recorded and (not line.engine.is_shared or line.counters.published)
        ]

    def idle(self) -> set[str]:
        """The sessions of which topics are open here, and whom nobody here follows."""
        lines = self.board.lines.values()
        wanted = {line.key[0] for line in lines if line.is_wanted or line.is_marked}
        found = {line.key[0] for line in lines} - wanted
        return {one for one in found if not self.seats.in_session(one)}

    async def forget(self, session_id: str) -> None:
        """Let go of all topics of a session; what is stored in the database stays."""
        self._clocks.pop(session_id, None)
        for key in [key for key in self._writers if key[0] == session_id]:
            del self._writers[key]
        await self.board.forget(session_id)
        self.rules.forget(session_id)

    async def _announce(self, line: Line) -> None:
        await subscribing.widen(line, self.seats.in_session(line.key[0]))

    async def _fresh(self, key: Key) -> Line:
        line = await self.board.find(key)
        if line.engine.is_shared and await line.log.refresh():
            self.flusher.mark(line)
        return line
