"""The data socket of one registration, opened again when it alone is lost."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Collection
from typing import Protocol

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection

from aegis_project.kit.errors import AegisError
from components.core import reconnect
from components.core.reconnect import Verdict
from components.sdk import errors, wire
from components.sdk.answers import Answers
from components.sdk.inbox import Inbox
from components.sdk.settings import Settings
from components.sdk.streams import Streams
from components.sdk.wire import Inbound

logger = logging.getLogger(__name__)

# How long a peer that may be gone is waited for.
CLOSE_SECONDS = 2.0
# A connection that was not made, or ended without a close code.
BROKEN = (OSError, TimeoutError, websockets.WebSocketException)


class Owner(Protocol):
    """The component, as its data socket knows it."""

    settings: Settings
    component_id: str
    streams: Streams
    inbox: Inbox
    answers: Answers

    def attach(self, socket: ClientConnection | None) -> None:
        """Publish on this socket from now on; None while there is none."""

    async def refused(self, error: AegisError) -> bool:
        """Hear of a refusal that answers nothing that was asked; whether anybody wanted to."""


class Partner(Protocol):
    """The registration that the data socket belongs to."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to come back for."""

    def heard(self) -> None:
        """Note a sign of life."""

    async def ready(self) -> None:
        """Say READY."""

    def end(self, code: int | None, error: AegisError | None = None) -> None:
        """Note that the registration is over."""


class DataSocket:
    """
    Hello, SUBSCRIBE with cursors, READY once; then frames into the inbox until the end.

    A topic that cannot be had now is asked for again, and READY waits for it.
    """

    def __init__(self, url: str, *, owner: Owner, partner: Partner) -> None:
        self.url = url
        self.owner = owner
        self.partner = partner
        self._is_ready = False
        self._was_open = False
        self._error: AegisError | None = None
        # The SUBSCRIBE of this connection that is not answered yet, or has topics that are to come.
        self._first_id: int | None = None
        self._attempt = 0
        self._again: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Keep a socket open until a close code, here or there, says that there will be no other."""
        attempt = 0
        while True:
            self._was_open, self._error = False, None
            code = await self._connect()
            verdict = reconnect.judge(code, is_staying=False)
            if verdict in {Verdict.RETURN, Verdict.RAISE}:
                self.partner.end(code, self._error)
            if self.partner.is_over:
                return
            attempt = 1 if self._was_open else attempt + 1
            await asyncio.sleep(self._delay(verdict, attempt))

    def _delay(self, verdict: Verdict, attempt: int) -> float:
        if verdict is Verdict.NOW and self._was_open:
            # A server that drains says in its ERROR when to come back.
            return float(self._error.details.get("retry_ms", 0)) / 1000 if self._error else 0
        return self._pause(attempt)

    def _pause(self, attempt: int) -> float:
        chance = random.random()  # noqa: S311 -- spreads a crowd, protects nothing
        return self.owner.settings.backoff.seconds(attempt, chance)

    async def _connect(self) -> int | None:
        try:
            socket = await connect(self.url)
        except BROKEN as error:
            logger.info("The data socket cannot be reached: %s", error)
            return None
        try:
            await self._read(socket)
        except websockets.ConnectionClosed as error:
            return close_code(error)
        except msgspec.MsgspecError as error:
            logger.warning("The data socket sent what is no frame: %s", error)
        finally:
            if self._again is not None:
                self._again.cancel()
            self.owner.attach(None)
            self.owner.answers.fail()
            await socket.close()
        return None

    async def _read(self, socket: ClientConnection) -> None:
        token, component_id = self.owner.settings.token, self.owner.component_id
        await socket.send(wire.hello(token, component_id), text=True)
        while True:
            frame = wire.decode(await socket.recv(decode=False))
            self.partner.heard()
            if frame.COMMAND in {"", "GAP", "REWIND", "END", "POS"}:
                batch = self.owner.streams.take(frame)
                if batch is not None:
                    await self.owner.inbox.offer(batch)
            else:
                await self._answered(frame, socket)

    async def _answered(self, frame: Inbound, socket: ClientConnection) -> None:
        match frame.COMMAND:
            case "ACK":
                await self._open(socket)
            case "SUBSCRIBED":
                await self._subscribed(frame, socket)
            case "ERROR" if not self.owner.answers.answer(frame):
                self._error = errors.told(frame.code, frame.message, frame.details)
                await self.owner.refused(self._error)
            case _:
                self.owner.answers.answer(frame)

    async def _open(self, socket: ClientConnection) -> None:
        self._was_open = True
        self.owner.attach(socket)
        requests = self.owner.streams.requests()
        if not requests:
            await self._ready()
            return
        self._attempt = 0
        await self._ask(socket, requests)

    async def _ask(self, socket: ClientConnection, requests: list[wire.Frame]) -> None:
        self._first_id = self.owner.answers.number()
        await socket.send(wire.subscribe(self._first_id, requests), text=True)

    async def _subscribed(self, frame: Inbound, socket: ClientConnection) -> None:
        self.owner.streams.place(frame)
        is_first, later = frame.id == self._first_id, set()
        if is_first or not self.owner.answers.answer(frame):
            for refusal in frame.errors:
                error = errors.of_topic(refusal)
                if not await self.owner.refused(error) and not error.temporary:
                    raise error
                if error.temporary:
                    later.add(refusal["topic"])
        if is_first and later:
            self._again = asyncio.create_task(self._ask_again(socket, later))
        elif is_first:
            await self._ready()

    async def _ask_again(self, socket: ClientConnection, topics: Collection[str]) -> None:
        self._attempt += 1
        await asyncio.sleep(self._pause(self._attempt))
        wanted = self.owner.streams.subscriptions
        entries = [entry for each in wanted for entry in self.owner.streams.entries(each)]
        with contextlib.suppress(websockets.ConnectionClosed):
            if requests := [entry for entry in entries if entry["topic"] in topics]:
                await self._ask(socket, requests)
            else:
                # Nobody follows them any more.
                await self._ready()

    async def _ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            await self.partner.ready()


async def connect(url: str) -> ClientConnection:
    """Open a socket to Aegis: uncompressed and direct, for a socket that carries a stream."""
    return await websockets.connect(
        url, compression=None, proxy=None, max_size=wire.MAX_BYTES, close_timeout=CLOSE_SECONDS
    )


def close_code(error: BaseException) -> int | None:
    """The close code in what a socket raised; None if the connection broke."""
    if isinstance(error, websockets.ConnectionClosed) and error.rcvd is not None:
        return error.rcvd.code
    return None
