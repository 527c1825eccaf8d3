"""A component of a session, in asyncio."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar

from components.core.errors import ConnectionLost
from components.core.heartbeat import BEATS, Beats
from components.core.messages import Proto
from components.core.reconnect import BACKOFF, Backoff
from components.sdk import errors, settings, wire
from components.sdk.cursors import CursorStore, MemoryCursors
from components.sdk.life import Life
from components.sdk.listeners import Listener
from components.sdk.records import Batch, Published, Record, Standing
from components.sdk.streams import Streams
from components.sdk.tools import Offering
from components.sdk.wire import Subscription
from streaming.core.position import Cursor

LEAVE_SECONDS = 5.0

L = TypeVar("L", bound=Listener)


class Component(Offering):
    """
    Register in a session, follow topics, publish, and come back after every cut.

    ``topics`` are names, patterns (``klines.*``, ``**``) or :class:`Subscription`. Address, token
    and component id come from ``AEGIS_URL``, ``AEGIS_SESSION_TOKEN`` and ``AEGIS_COMPONENT_ID``
    where they are not given. ``window`` asks the server to send at most so many records ahead of
    a commit; a lockstep replay waits for components that have one. With ``stay`` the component
    registers again after its session was stopped.

    Use it as ``async with`` and iterate :meth:`records`, or :meth:`run` it with functions given
    to :meth:`on`.

    :raises NotAuthenticated: without a session token
    """

    def __init__(
        self,
        name: str = "",
        *,
        role: str = "",
        topics: Iterable[str | Subscription] = (),
        capabilities: Mapping[str, Any] | None = None,
        version: str = "",
        url: str | None = None,
        token: str | None = None,
        component_id: str | None = None,
        cursors: CursorStore | None = None,
        batch: bool = True,
        window: int = 0,
        stay: bool = False,
        auto_commit: bool = True,
        beats: Beats = BEATS,
        backoff: Backoff = BACKOFF,
    ) -> None:
        followed = [Subscription(each) if isinstance(each, str) else each for each in topics]
        self._task: asyncio.Task[None] | None = None
        asked = settings.read(
            url=url,
            token=token,
            component_id=component_id,
            name=name,
            role=role,
            version=version,
            capabilities=capabilities or {},
            proto=Proto(batch=batch, window=window),
            is_staying=stay,
            commits=auto_commit,
            beats=beats,
            backoff=backoff,
        )
        self._life = Life(asked, Streams(followed), cursors or MemoryCursors())
        self._tools = self._life.tools

    def on(self, what: str | type, **options: str) -> Callable[[L], L]:
        """
        Give records of a topic or pattern, or events of a class, to a function.

        The function may be a coroutine function; the next event waits for it. A topic that is not
        followed yet is from now on, with the ``options`` of :class:`Subscription`. Classes are
        ``Gap``, ``Rewind``, ``Receipt``, ``Standing``, ``TokenExpiring`` and errors.
        """

        def register(listener: L) -> L:
            if isinstance(what, str):
                self._life.streams.follow(Subscription(what, **options))
            self._life.listeners.add(what, listener)
            return listener

        return register

    # Life

    def run(self) -> None:
        """Serve until the session lets the component go; for a program that does nothing else."""
        asyncio.run(self.serve())

    async def serve(self) -> None:
        """
        Give every event to its function until the session is over, or stopped without ``stay``.

        An exception of such a function fails the component and is raised.

        :raises AegisError: when the server does not take the component (any more)
        """
        try:
            async for _ in self.batches():
                pass
        except Exception as error:
            await self._report(error)
            raise
        finally:
            await self.close()

    async def _report(self, error: Exception) -> None:
        frame = {"COMMAND": "ERROR", "code": type(error).__name__, "message": str(error)}
        with contextlib.suppress(ConnectionLost):
            await self._life.say({**frame, "temporary": False})

    async def start(self) -> Self:
        """Begin to connect; everything else waits until that is done."""
        if self._task is None:
            self._life.is_over = False
            self._task = asyncio.create_task(self._life.run())
        return self

    async def close(self) -> None:
        """Leave without a word: the session sees a lost component."""
        if self._task is None:
            return
        await self._life.tick()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        # Who leaves in order has done the work; who fails is missed, and may come back.
        if error is None and not self._life.is_over:
            with contextlib.suppress(ConnectionLost, TimeoutError):
                if not self._life.is_finished:
                    await self.finish()
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._life.until(lambda: False)
        await self.close()

    async def finish(self) -> None:
        """
        Say that the work is done; the component is then stopped and the iteration ends.

        :raises ConnectionLost: when there is no connection to say it on
        """
        await self._life.finish()

    async def running(self) -> bool:
        """
        Wait until this component runs; False once it never will again.

        :raises AegisError: when the server does not take the component (any more)
        """
        await self.start()
        life = self._life
        is_running = await life.until(
            lambda: life.standing is not None and life.standing.component == "running"
        )
        if life.error is not None:
            raise life.error
        return is_running

    # Receiving

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """
        Everything that comes, as it comes: lists of events of one topic.

        A batch is processed when the next one is asked for.

        :raises AegisError: when the server does not take the component (any more)
        """
        await self.start()
        life = self._life
        while (batch := await life.inbox.take()) is not None:
            await life.listeners.dispatch(batch)
            yield batch
            await life.done(batch)
        await life.tick()
        if life.error is not None:
            raise life.error

    async def records(self) -> AsyncGenerator[Record, None]:
        """
        The records of all topics; gaps, rewinds and receipts go to functions of :meth:`on` only.

        :raises AegisError: when the server does not take the component (any more)
        """
        async for batch in self.batches():
            for event in batch.events:
                if type(event) is Record:
                    yield event

    async def subscribe(self, topic: str, **options: str) -> None:
        """
        Follow another topic or pattern, with the ``options`` of :class:`Subscription`.

        :raises AegisError: why the server refused it
        """
        subscription = Subscription(topic, **options)
        self._life.streams.add(subscription)
        requests = self._life.streams.entries(subscription)
        answer = await self._life.ask(lambda ref: wire.subscribe(ref, requests))
        for refusal in answer.errors:
            raise errors.of_topic(refusal)

    async def unsubscribe(self, topic: str) -> None:
        """Follow a topic or pattern no longer."""
        self._life.streams.drop(topic)
        await self._life.ask(lambda ref: wire.unsubscribe(ref, [topic]))

    async def pause(self, topic: str) -> None:
        """Hold a topic back; what comes meanwhile waits in its log."""
        await self._life.send(wire.hold(topic, is_paused=True))

    async def resume(self, topic: str) -> None:
        """Go on with a topic where it was held back."""
        await self._life.send(wire.hold(topic, is_paused=False))

    async def commit(self, record: Record | None = None) -> None:
        """
        Keep the cursors of what was processed and tell the server.

        :param record: the last one processed of a batch that is not done yet
        """
        if record is not None:
            at = record.position
            cursor = None if at is None else Cursor(at.epoch, at.seq, at.ck)
            self._life.note(record.topic, record.seq, cursor)
        await self._life.commit()

    # Saying

    async def publish(self, topic: str, data: Any) -> None:
        """
        Put one record into a topic, without waiting for where it goes.

        ``data`` is any JSON value, or ``msgspec.Raw`` with a JSON text. Waits while there is no
        connection.

        :raises ComponentClosed: when there will be none any more
        """
        await self._life.send(wire.publish(topic, [data]))

    async def publish_many(self, topic: str, items: Sequence[Any]) -> None:
        """Put records into a topic in one frame, in their order."""
        await self._life.send(wire.publish(topic, items))

    async def append(self, topic: str, *items: Any) -> Published:
        """
        Put records into a topic, once, and wait until they are there; after a cut say it again.

        :raises ConnectionLost: when a connection that stands did not answer; they may be there
        :raises ComponentClosed: when no connection will come any more; they may be there
        :raises AegisError: why the server refused them
        """
        return wire.published(await self._life.publish(topic, items))

    async def refresh(self, token: str) -> None:
        """Go on with a new session token, now and after every cut."""
        self._life.settings = dataclasses.replace(self._life.settings, token=token)
        await self._life.say({"COMMAND": "REFRESH", "session_token": token})

    # Who it is

    @property
    def component_id(self) -> str:
        """The UUID given by Aegis; empty before the first registration."""
        return self._life.component_id

    @property
    def name(self) -> str:
        """The name in the session; a taken one was given a number."""
        return self._life.name

    @property
    def session_id(self) -> str:
        """The session's id; empty before the first registration."""
        return self._life.session_id

    @property
    def standing(self) -> Standing | None:
        """Where session and component stand, None while not connected."""
        return self._life.standing
