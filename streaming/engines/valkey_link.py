"""The connections of a process to its Valkey: calls in their order, and what is announced."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError

from streaming.core.errors import StoreDown
from streaming.engines.valkey_ears import Connection, Ears, Told
from streaming.engines.valkey_scripts import ALL, Script

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0
"""A store that does not answer for so long is taken for lost."""
RETRY_SECONDS = 0.2
PATIENCE_SECONDS = 1.0
"""So long after a loss, calls wait for the store to come back; then they fail at once."""

Word = bytes | str | int
Check = Callable[[], Awaitable[None]]


class Call:
    """What is asked, and the future that gets the answer."""

    __slots__ = ("answer", "words")

    def __init__(self, words: tuple[Any, ...]) -> None:
        self.words = words
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def resolve(self, value: Any) -> None:
        """Hand the answer to whoever still waits for it."""
        if not self.answer.done():
            self.answer.set_result(value)

    def fail(self, error: Exception) -> None:
        """The same for a failure."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Link:
    """
    One connection for calls and one for announcements, made again whenever they break.

    Calls made while others are under way leave together, so that what a busy process asks grows
    into pipelines by itself; answers come in the order of the calls. ``check`` runs after each
    connecting, before any other call is let through; ``told`` hears (channel, message).
    ``losses`` counts the connections that ended.
    """

    def __init__(self, url: str, *, check: Check, told: Told) -> None:
        # How to connect is in the URL; no connection is ever given back. Its own timeout for sending
        # is asyncio.wait_for, which before Python 3.12 may swallow that it is cancelled.
        self._pool: Connection = ConnectionPool.from_url(
            url, socket_timeout=None, socket_connect_timeout=1.0, driver_info=None
        )
        self._check = check
        self.ears = Ears(told)
        self._queue: list[Call] = []
        self._flight: list[Call] = []
        self._asked = asyncio.Event()
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lost_at: float | None = None
        self._is_told = False
        self._is_closed = False
        self.losses = 0

    # For the engine

    @property
    def lost_at(self) -> float | None:
        """Since when the store is away, in seconds of the loop; ``None`` while it is there."""
        return self._lost_at

    @property
    def is_busy(self) -> bool:
        """Whether answers are awaited."""
        return bool(self._queue or self._flight)

    async def run(self, script: Script, keys: Sequence[str], *words: Word) -> Any:
        """
        What a script answers.

        :raises StoreDown: when there is no store, or it was lost before it answered
        """
        await self.ready()
        return await self.ask(script, keys, *words)

    async def ask(self, script: Script, keys: Sequence[str], *words: Word) -> Any:
        """The same for the check itself, which does not wait for its own end."""
        return await self.send("EVALSHA", script.sha, len(keys), *keys, *words)

    async def send(self, *words: Word) -> Any:
        """
        The answer to a plain command, sent as soon as there is a connection.

        :raises StoreDown: when the store was lost before it answered, or the link is closed
        """
        if self._is_closed:
            # Nobody would ever answer.
            raise StoreDown
        call = Call(words)
        self._queue.append(call)
        self._asked.set()
        return await call.answer

    async def ready(self) -> None:
        """
        Wait until the store is there and its logs were compared, if it has only just been lost.

        :raises StoreDown: when it has been away for longer
        """
        if self._up.is_set():
            return
        if self._is_closed:
            raise StoreDown
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._lost_at = loop.time()
            self._task = asyncio.create_task(self._keep(), name="aegis-valkey")
        since = loop.time() if self._lost_at is None else self._lost_at
        # Not asyncio.timeout: a call that was begun inline goes on in another task.
        waiting = asyncio.ensure_future(self._up.wait())
        await asyncio.wait({waiting}, timeout=max(0.0, since + PATIENCE_SECONDS - loop.time()))
        waiting.cancel()
        if not self._up.is_set():
            raise StoreDown

    async def listen(self, channel: str) -> None:
        """
        Hear what is announced on this channel, from before this returns.

        :raises StoreDown: when there is no store
        """
        await self.ready()
        await self.ears.listen(channel, timeout_seconds=ANSWER_SECONDS)

    async def close(self) -> None:
        """End both connections; whoever waits for an answer is told that there is no store."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._lose()

    # The connections

    async def _keep(self) -> None:
        # Some library may swallow that it is cancelled, and nothing begins anew after the close.
        while not self._is_closed:
            try:
                await self._serve()
            except* (RedisError, OSError, StoreDown) as errors:
                if not self._is_told:
                    self._is_told = True
                    reason = "; ".join(str(one) for one in errors.exceptions)
                    logger.warning("Valkey is away: %s", reason, extra={"action": "store_lost"})
            except* Exception:  # whatever it was, the next connection begins anew
                logger.exception("The store failed", extra={"action": "store_failed"})
            finally:
                self._lose()
            await asyncio.sleep(RETRY_SECONDS)

    async def _serve(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            calls, heard = [await self._connect(stack) for _ in range(2)]
            async with asyncio.timeout(ANSWER_SECONDS):
                for script in ALL:
                    await calls.send_command("SCRIPT", "LOAD", script.text)
                    await calls.read_response()
                # What is announced from here on is heard, what was before is seen by the check.
                await self.ears.open(heard)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._talk(calls))
                group.create_task(self.ears.tell(heard))
                group.create_task(self.ears.hear(heard))
                group.create_task(self._come_up())

    async def _connect(self, stack: contextlib.AsyncExitStack) -> Connection:
        connection = self._pool.make_connection()
        stack.push_async_callback(connection.disconnect)
        await connection.connect()
        return connection

    async def _come_up(self) -> None:
        await self._check()
        if self._is_told:
            logger.warning("Valkey is back", extra={"action": "store_found"})
        self._is_told, self._lost_at = False, None
        self._up.set()

    def _lose(self) -> None:
        self._up.clear()
        self.losses += 1
        if self._lost_at is None:
            self._lost_at = asyncio.get_running_loop().time()
        calls, self._queue, self._flight = self._flight + self._queue, [], []
        for call in calls:
            call.fail(StoreDown())

    async def _talk(self, connection: Connection) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._queue:
                self._flight, self._queue = self._queue, []
                packed = [hiredis.pack_command(call.words) for call in self._flight]
                async with asyncio.timeout(ANSWER_SECONDS):
                    await connection.send_packed_command(packed, check_health=False)
                    for call in self._flight:
                        await _answer(connection, call)
                self._flight = []


async def _answer(connection: Connection, call: Call) -> None:
    try:
        call.resolve(await connection.read_response())
    except (NoScriptError, ReadOnlyError):
        # Another server, or another role of it: what was prepared has to be prepared again.
        raise
    except ResponseError as error:
        logger.warning("Valkey refused: %s", error, extra={"action": "store_refused"})
        call.fail(StoreDown())
