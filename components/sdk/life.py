"""The life of a component over many connections."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from aegis_project.kit.errors import AegisError
from components.core import reconnect
from components.core.client import Join
from components.core.errors import ComponentClosed, ConnectionLost
from components.core.reconnect import Verdict
from components.sdk import errors, wire
from components.sdk.answers import Answers
from components.sdk.cursors import CursorStore
from components.sdk.inbox import Inbox
from components.sdk.link import End, Link
from components.sdk.listeners import Listeners
from components.sdk.records import Batch, LogLevel, Record, Standing, TokenExpiring
from components.sdk.settings import Settings
from components.sdk.streams import Streams
from components.sdk.tools import Tools
from streaming.core.errors import Draining, SessionOver
from streaming.core.position import Cursor

logger = logging.getLogger(__name__)

LOGGER = "components.sdk"
"""What a component logs through by itself; its level is what somebody asks for."""

# Said before a close that is no fault of anybody.
EXPECTED = (Draining, SessionOver)


class Life:
    """
    What outlives a connection: identity, subscriptions, what was received and what is done.

    ``run`` keeps the component registered until its session lets it go; everything else may be
    called at any time and waits for a connection where it needs one.
    """

    def __init__(self, settings: Settings, streams: Streams, store: CursorStore) -> None:
        self.settings = settings
        self.streams = streams
        self.store = store
        self.listeners = Listeners()
        self.inbox = Inbox(settings.inbox_batches)
        self.answers = Answers()
        self.tools = Tools()
        self.component_id = settings.component_id
        self.name = settings.name
        self.session_id = ""
        self.standing: Standing | None = None
        # Until it was started there is nothing to wait for.
        self.is_over = True
        self.is_finished = False
        self.error: Exception | None = None
        self._link: Link | None = None
        self._socket: ClientConnection | None = None
        self._moved = asyncio.Event()
        # Which life of this publisher it is, as far as clocks tell, and what it has counted.
        self._began = time.time_ns() // 1_000_000
        self._counts = count(1)
        self._processed: dict[str, int] = {}
        self._cursors: dict[str, Cursor] = {}

    # Coming back

    async def run(self) -> None:
        """Register again and again until a close code says to stop; ``error`` says why."""
        try:
            self.streams.restore(self.store.load())
            await self._run()
        except Exception as error:  # noqa: BLE001 -- raised to the owner, who reads elsewhere
            self.error = error
        finally:
            self.is_over = True
            self.inbox.close()
            self.answers.fail(ComponentClosed())
            self._stir()

    async def _run(self) -> None:
        attempt = 0
        while True:
            end = await Link(self).run()
            self._link = self.standing = None
            is_staying = self.settings.is_staying and not self.is_finished
            verdict = reconnect.judge(end.code, is_staying=is_staying)
            if verdict is Verdict.RETURN:
                return
            if verdict is Verdict.RAISE:
                raise end.error
            attempt = 1 if end.was_joined else attempt + 1
            delay = self._delay(end, verdict, attempt)
            logger.info("Connecting again", extra={"action": "reconnect", "seconds": delay})
            await asyncio.sleep(delay)

    def _delay(self, end: End, verdict: Verdict, attempt: int) -> float:
        if end.retry_ms is not None:
            return end.retry_ms / 1000
        if verdict is Verdict.NOW and end.was_joined:
            return 0
        chance = random.random()  # noqa: S311 -- spreads a crowd, protects nothing
        return self.settings.backoff.seconds(attempt, chance)

    # What connections tell

    def join(self, join: Join, link: Link) -> None:
        self.component_id = join.component_id or self.component_id
        self.name, self.session_id = join.name or self.name, join.session_id
        self._link = link
        self._stir()

    def attach(self, socket: ClientConnection | None) -> None:
        self._socket = socket
        self._stir()

    @property
    def is_attached(self) -> bool:
        return self._socket is not None

    async def told(self, command: str, frame: wire.Frame) -> None:
        if command == "STATE":
            self.standing = Standing(frame["session"], frame["component"])
            self._stir()
            await self.listeners.tell(self.standing)
        elif command == "CALL":
            self.tools.take(frame, self)
        elif command == "LOG_LEVEL":
            await self._log(frame)
        elif command == "ERROR":
            await self.refused(errors.told(frame["code"], frame.get("message", "")))
        elif command == "TOKEN_EXPIRING":
            await self.listeners.tell(TokenExpiring(frame["exp"]))

    async def _log(self, frame: wire.Frame) -> None:
        """Log as much as somebody asks for, tell the program, and say that it is so."""
        asked = LogLevel(str(frame.get("level")))
        done: wire.Frame = {"result": {"level": asked.level}}
        try:
            logging.getLogger(LOGGER).setLevel(asked.level)
            await self.listeners.tell(asked)
        except ValueError as error:
            done = {"error": {"code": "ValueError", "message": str(error)}}
        with contextlib.suppress(ConnectionLost):
            await self.say({"COMMAND": "RESULT", "id": frame["id"], **done})

    async def refused(self, error: AegisError) -> bool:
        level = logging.INFO if isinstance(error, EXPECTED) else logging.WARNING
        logger.log(level, "Aegis says: %s", error, extra={"action": "refused", "code": error.code})
        return await self.listeners.tell(error)

    # Waiting

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> bool:
        """Wait until it holds; False when the component is over before."""
        while not self.is_over:
            if holds():
                return True
            await self._moved.wait()
        return False

    async def socket(self) -> ClientConnection:
        """
        The data socket, when there is one.

        :raises ComponentClosed: when there will be none any more
        """
        while self._socket is None:
            if not await self.until(lambda: self.is_attached):
                raise self.error or ComponentClosed
        return self._socket

    # Saying

    async def send(self, frame: bytes) -> None:
        """Send on the data socket, also if that takes another connection."""
        while True:
            socket = await self.socket()
            try:
                await socket.send(frame, text=True)
            except websockets.ConnectionClosed:
                if self._socket is socket:
                    self.attach(None)
            else:
                return

    async def ask(self, write: Callable[[int], bytes]) -> wire.Inbound:
        """
        Send a frame with an id and wait for its answer.

        :raises ConnectionLost: when the connection ended or the time passed before the answer
        :raises AegisError: what the server refused it with
        """
        socket = await self.socket()
        ref, answer = self.answers.ask()
        with self.inbox:
            try:
                await socket.send(write(ref), text=True)
                return await asyncio.wait_for(answer, self.settings.answer_seconds)
            except TimeoutError:
                raise ConnectionLost from None
            except websockets.ConnectionClosed:
                if self._socket is socket:
                    self.attach(None)
                raise ConnectionLost from None
            finally:
                answer.cancel()

    async def publish(self, topic: str, items: Sequence[Any]) -> wire.Inbound:
        """
        Publish, and say the same again after each cut until there is an answer.

        It is counted, so that the topic has it once.

        :raises ConnectionLost: when no answer came in time though the connection stands
        :raises ComponentClosed: when there will be no connection any more
        :raises AegisError: what the server refused it with
        """
        counted = (self._began, next(self._counts))
        while True:
            socket = await self.socket()
            try:
                return await self.ask(lambda ref: wire.publish(topic, items, ref, counted))
            except ConnectionLost:
                if self._socket is socket:
                    raise

    async def say(self, frame: wire.Frame) -> None:
        """
        Send on the control socket.

        :raises ConnectionLost: when there is none
        """
        if self._link is None:
            raise ConnectionLost
        try:
            await self._link.say(frame)
        except websockets.ConnectionClosed:
            raise ConnectionLost from None

    async def finish(self) -> None:
        """
        Say that the work is done, which also ends a component that stays.

        :raises ConnectionLost: when there is no connection to say it on
        """
        await self.say({"COMMAND": "FINISHED"})
        self.is_finished = True

    # Commits

    def note(self, topic: str, seq: int, cursor: Cursor | None) -> None:
        """Note how far a topic was processed."""
        self._processed[topic] = seq
        if cursor is not None:
            self._cursors[topic] = cursor

    async def done(self, batch: Batch) -> None:
        """Note that a batch was processed; commits at once where the server waits for it."""
        last = batch.events[-1]
        if isinstance(last, Record):
            self.note(batch.topic, last.seq, batch.cursor)
        if self.settings.commits and self.settings.proto.window and not len(self.inbox):
            await self._commit()

    async def tick(self) -> None:
        if self.settings.commits:
            await self.commit()

    async def commit(self) -> None:
        """Tell the server what was processed, and keep the cursors."""
        await self._commit()
        cursors, self._cursors = self._cursors, {}
        if cursors:
            self.store.save(cursors)

    async def _commit(self) -> None:
        if self._processed and self._socket is not None:
            processed, self._processed = self._processed, {}
            # A COMMIT that is cut off needs no repetition: the next cursor says more.
            with contextlib.suppress(websockets.ConnectionClosed):
                await self._socket.send(wire.commit(processed), text=True)
