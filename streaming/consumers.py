"""The data socket."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import DatabaseError

from aegis_project import instruments
from aegis_project.kit.errors import AegisError
from aegis_project.kit.ratelimit import Bucket
from aegis_project.kit.seat import Seat
from streaming import hints, metrics
from streaming import node as nodes
from streaming.core import frames, inbound, messages, topics
from streaming.core.errors import (
    HelloMissing,
    SessionOver,
    StoreDown,
    StreamFailed,
    TooManyFrames,
    UnknownCommand,
    UnknownTopic,
    close_code,
)
from streaming.core.messages import Inbound, Producer, Publish
from streaming.engines.base import Key
from streaming.hub import Connection, Hub, checking
from streaming.hub.pipeline import Pipeline

logger = logging.getLogger(__name__)

HELLO_SECONDS = 10.0
GOODBYE_SECONDS = 5.0
BURST_SECONDS = 2.0
KNOWN_TOPICS = 1000

Event = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Coroutine[Any, Any, Event]]
Send = Callable[[Event], Coroutine[Any, Any, None]]


class Registrar(Protocol):
    """Who knows the components; streaming itself does not."""

    async def authenticate(self, hello: dict[str, Any], scope: Mapping[str, Any]) -> Seat:
        """
        The seat of the component that says hello.

        :raises AegisError: for a token that opens nothing, or nobody who waits
        """

    def heard(self, seat: Seat) -> None:
        """A frame came."""

    async def subscribed(self, seat: Seat) -> None:
        """The socket has its first topics."""

    async def lost(self, seat: Seat) -> None:
        """The socket is gone, and no newer one has taken its place."""


def node_hub() -> Hub:
    """The hub of this process' node."""
    return nodes.required().hub


class DataConsumer(AsyncConsumer):
    """
    One data socket.

    A Channels consumer by its place and life, without the dispatch: frames are read one after
    the other as they come, and what goes out goes through the hub's connection, which never
    makes the reading wait.
    """

    def __init__(self, *, registrar: Registrar, hub: Callable[[], Hub] = node_hub) -> None:
        self.registrar = registrar
        self._find_hub = hub
        self._is_abandoned = self._has_topics = False
        # The topics that this component may publish, by name, as far as it has.
        self._keys: dict[str, Key] = {}
        # Made when something is published: most sockets only listen.
        self._pipeline: Pipeline | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection, to its end."""
        self._send: Send = send
        self._task = asyncio.current_task()
        await receive()
        await send({"type": "websocket.accept"})
        connection = await self._welcome(scope, receive)
        if connection is None:
            return
        try:
            await self._read(connection, receive)
        except asyncio.CancelledError:
            # Returning is what makes the server let go of a socket that takes nothing.
            if not self._is_abandoned:
                raise
        finally:
            await self._stay_to_the_end()
            await self._leave(connection)

    # Hello

    async def _welcome(self, scope: Scope, receive: Receive) -> Connection | None:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                event = await receive()
            if event["type"] != "websocket.receive":
                return None
            return await self._connect(inbound.hello(event.get("text")), scope)
        except TimeoutError:
            await self._turn_away(HelloMissing())
        except AegisError as error:
            await self._turn_away(error)
        except DatabaseError:
            logger.exception("A hello failed", extra={"action": "hello_failed"})
            await self._turn_away(StoreDown())
        except Exception:  # whatever it was, the component is told and we see it
            logger.exception("A hello failed", extra={"action": "hello_failed"})
            await self._turn_away(StreamFailed())
        finally:
            # Its headers and addresses would stay as long as the socket, and nobody asks again.
            scope.clear()
        return None

    async def _connect(self, hello: dict[str, Any], scope: Scope) -> Connection:
        self.hub = self._find_hub()
        seat = await self.registrar.authenticate(hello, scope)
        instruments.begin(component=seat.component_id, session=seat.session_id)
        connection = self.hub.connect(
            seat,
            self._send,
            unsent=(scope.get("extensions") or {}).get("aegis.unsent"),
            abandon=self._abandon,
        )
        connection.post(frames.ack())
        # Whoever watches components now finds the seat here, and opens its gate.
        hints.deliver(hints.Hint("component", seat.component_id))
        return connection

    async def _turn_away(self, error: AegisError) -> None:
        text = frames.encode(frames.error(error))
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._send({"type": "websocket.send", "text": text})
                await self._send({"type": "websocket.close", "code": int(close_code(error))})
                metrics.count_close("data", close_code(error))
        except Exception as gone:  # noqa: BLE001 -- each server has its own way to say so
            logger.debug("Nobody was there to be turned away: %s", gone)

    def _abandon(self) -> None:
        self._is_abandoned = True
        if self._task is not None:
            self._task.cancel()

    async def _stay_to_the_end(self) -> None:
        # Whoever abandons a socket that ends by itself may cancel what is noted of its end.
        self._task = None
        if self._is_abandoned:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    async def _leave(self, connection: Connection) -> None:
        connection.lose()
        if self.hub.seats.of(connection.seat.component_id) is not None:
            return
        try:
            await self.registrar.lost(connection.seat)
        except Exception:  # the component is found lost by the clock
            logger.exception("A loss was not noted", extra={"action": "loss_not_noted"})

    # Frames

    async def _read(self, connection: Connection, receive: Receive) -> None:
        seat, time = connection.seat, connection.loop.time
        per_second = settings.ENVIRONMENT.data_frames_per_second
        bucket = Bucket(per_second=per_second, burst_seconds=BURST_SECONDS)
        while True:
            event = await receive()
            if event["type"] != "websocket.receive":
                return
            if not bucket.take(time()):
                # What else it has sent already is not read any more.
                connection.refuse(TooManyFrames())
                continue
            self.registrar.heard(seat)
            await self._take(connection, event.get("text"))
            # It would be kept until the next one comes.
            del event

    async def _take(self, connection: Connection, text: str | None) -> None:
        try:
            frame = inbound.decode(text)
            if type(frame) is Publish:
                await self._begin(connection, frame)
            elif connection.closing is None and not connection.is_closed:
                await self._do(connection, frame)
        except AegisError as error:
            connection.refuse(error)
        except Exception:  # whatever it was, the component is told and we see it
            logger.exception("A data frame failed", extra={"action": "data_frame_failed"})
            connection.refuse(StreamFailed())

    async def _begin(self, connection: Connection, frame: Publish) -> None:
        work = self._publish(connection, frame)
        if self.hub.is_prompt((connection.seat.session_id, frame.topic)):
            self._pipeline = self._pipeline or Pipeline()
            await self._pipeline.begin(work)
        else:
            await work

    async def _publish(self, connection: Connection, frame: Publish) -> None:
        try:
            if connection.closing is not None or connection.is_closed:
                raise SessionOver
            key = self._keys.get(frame.topic) or self._admit(connection, frame.topic)
            now = self.hub.now_ms(key[0])
            own_id = connection.seat.component_id
            producer = frame.producer and _named(frame.producer, own_id)
            records = [(now, data) for data in frame.items]
            offered = await checking.offer(self.hub, key, records, producer, by=own_id)
        except AegisError as error:
            ref = "PUBLISH" if frame.id is None else frame.id
            connection.post(frames.error(error, ref=ref, topic=frame.topic))
            return
        except Exception:  # whatever it was, the component is told and we see it
            logger.exception("A publication failed", extra={"action": "publish_failed"})
            connection.refuse(StreamFailed())
            return
        if frame.id is not None:
            connection.post(frames.published(frame.id, *offered))

    def _admit(self, connection: Connection, name: str) -> Key:
        topics.check_publishable(name, connection.seat.patterns)
        key = (connection.seat.session_id, name)
        self.hub.wrote(key, connection.seat.component_id)
        if len(self._keys) < KNOWN_TOPICS:
            self._keys[name] = key
        return key

    async def _do(self, connection: Connection, frame: Inbound) -> None:
        match frame:
            case messages.Subscribe(id=ref, requests=requests):
                await self.hub.subscribe(connection.seat, connection.send, requests, ref=ref)
                await self._note_topics(connection)
            case messages.Unsubscribe(id=ref, topics=names):
                gone = self.hub.unsubscribe(connection, names)
                connection.post(frames.unsubscribed(ref, gone))
            case messages.Commit():
                self.hub.commit(connection, frame)
            case messages.Hold(topic=name):
                if not self.hub.hold(connection, frame):
                    connection.post(frames.error(UnknownTopic(topic=name), topic=name))
            case messages.Unknown(command=command, id=ref):
                error = UnknownCommand(command=command)
                connection.post(frames.error(error, ref=command if ref is None else ref))

    async def _note_topics(self, connection: Connection) -> None:
        if self._has_topics or not (connection.subscriptions or connection.patterns):
            return
        self._has_topics = True
        try:
            await self.registrar.subscribed(connection.seat)
        except Exception:  # READY says as much
            logger.exception("Topics were not noted", extra={"action": "topics_not_noted"})


def _named(producer: Producer, component_id: str) -> Producer:
    """A producer that gives no name is the component."""
    name, epoch, n = producer
    return name or component_id, epoch, n
