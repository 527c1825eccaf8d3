"""The lines of a process: every topic that was named here, each with its log and alias."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence

from streaming.core.errors import TopicNotFound
from streaming.engines.base import Engine, Key, Log
from streaming.hub.line import Line
from streaming.hub.packs import Shelf


class Board:
    """Opens logs in the engines, in their order; the last one makes a log for every name."""

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        shelf: Shelf,
        mint: Callable[[], str],
        on_fetched: Callable[[Line], None],
        on_opened: Callable[[Line], Awaitable[None]],
    ) -> None:
        self.engines = tuple(engines)
        self.lines: dict[Key, Line] = {}
        self.mint = mint
        self._shelf = shelf
        self._on_fetched = on_fetched
        self._on_opened = on_opened
        self._aliases = 0

    async def line(self, key: Key) -> Line:
        """
        The line of a topic, opened and announced if need be.

        :raises TopicNotFound: when no engine has such a log, nor makes it
        """
        found = self.lines.get(key)
        if found is not None:
            return found
        for engine in self.engines:
            log = await engine.open(key)
            if log is not None:
                # Another call may have been first while the engine waited.
                return self.lines.get(log.key) or await self._open(engine, log)
        raise TopicNotFound(topic=key[1])

    async def find(self, key: Key) -> Line:
        """
        The line of a topic that exists already; nothing is made.

        :raises TopicNotFound: when it does not exist
        """
        if key in self.lines:
            return self.lines[key]
        *others, last = self.engines
        # Another process may have made it.
        await last.meet(key[0])
        if key[1] in last.names(key[0]):
            return await self.line(key)
        for engine in others:
            # Held, so that it is not opened anew a line further on.
            log = await engine.open(key)
            if log is not None:
                return await self.line(log.key)
        raise TopicNotFound(topic=key[1])

    async def names(self, session_id: str) -> list[str]:
        """The topics of a session, in alphabetical order."""
        found: set[str] = set()
        for engine in self.engines:
            await engine.meet(session_id)
            if engine.is_shared:
                await engine.wait({(session_id, "")}, 0)
            found.update(engine.names(session_id))
        return sorted(found)

    def of(self, session_id: str) -> list[Line]:
        """The open lines of a session."""
        return [line for line in self.lines.values() if line.key[0] == session_id]

    async def forget(self, session_id: str) -> None:
        """Let go of all topics of a session."""
        for line in self.of(session_id):
            self._remove(line)
        for engine in self.engines:
            await engine.forget(session_id)

    def is_away(self, seconds: float) -> bool:
        """Whether a store has been out of reach for longer than this."""
        now = asyncio.get_running_loop().time()
        since = [engine.away_since for engine in self.engines]
        return any(one is not None and now - one > seconds for one in since)

    async def close(self) -> None:
        """Let go of all stores."""
        for engine in self.engines:
            await engine.close()

    def tidy(self, *, unused_seconds: float) -> None:
        """Let go of what retention no longer keeps, of frames, and of lines unused for so long."""
        now = asyncio.get_running_loop().time()
        for engine in self.engines:
            engine.tidy(now)
        self._shelf.clear()
        for line in tuple(self.lines.values()):
            if not line.engine.is_shared or line.is_wanted or line.is_marked:
                line.used_at = now
            elif now - line.used_at > unused_seconds:
                self._remove(line)

    async def _open(self, engine: Engine, log: Log) -> Line:
        self._aliases += 1
        line = Line(
            log,
            engine=engine,
            alias=self._aliases,
            shelf=self._shelf,
            on_fetched=self._on_fetched,
        )
        line.used_at = asyncio.get_running_loop().time()
        self.lines[log.key] = line
        await self._on_opened(line)
        return line

    def _remove(self, line: Line) -> None:
        del self.lines[line.key]
        line.close()


class Interest(Collection[Key]):
    """What one shared engine has to watch now: the lines in use, and sessions with wildcards."""

    def __init__(self, board: Board, engine: Engine, *, wide: Callable[[], Iterable[str]]) -> None:
        self._board = board
        self._engine = engine
        self._wide = wide

    def __iter__(self) -> Iterator[Key]:
        for line in self._board.lines.values():
            if line.engine is self._engine and line.is_wanted:
                yield line.key
        for session_id in self._wide():
            yield (session_id, "")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        return any(key == one for one in self)
