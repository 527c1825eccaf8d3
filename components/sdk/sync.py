"""A component of a session for code without asyncio: the same client on a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Self, TypeVar

from components.core.errors import ComponentClosed
from components.sdk import component
from components.sdk.records import Batch, Published, Record, Standing

T = TypeVar("T")


class Component:
    """
    The blocking form of :class:`components.sdk.Component`, with the same arguments and errors.

    Connections, heartbeats and resumption go on while the caller's code computes. Gaps, rewinds
    and receipts are in :meth:`batches`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._component = component.Component(*args, **options)

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop.call_soon(started.set)
        self._thread.start()
        started.wait()
        self._wait(self._component.__aenter__())
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            self._wait(self._component.__aexit__(error))
            self._wait(self._loop.shutdown_asyncgens())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._loop.is_running():
            work.close()
            raise ComponentClosed
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def batches(self) -> Iterator[Batch]:
        """Everything that comes, as it comes; ends when the session lets the component go."""
        source = self._component.batches()

        async def following() -> Batch | None:
            return await anext(source, None)

        while (batch := self._wait(following())) is not None:
            yield batch

    def records(self) -> Iterator[Record]:
        """The records of all topics."""
        for batch in self.batches():
            for event in batch.events:
                if isinstance(event, Record):
                    yield event

    def running(self) -> bool:
        """Wait until this component runs; False once it never will again."""
        return self._wait(self._component.running())

    def publish(self, topic: str, data: Any) -> None:
        """Put one record into a topic, without waiting for where it goes."""
        self._wait(self._component.publish(topic, data))

    def publish_many(self, topic: str, items: Sequence[Any]) -> None:
        """Put records into a topic in one frame, in their order."""
        self._wait(self._component.publish_many(topic, items))

    def append(self, topic: str, *items: Any) -> Published:
        """Put records into a topic and wait until they are there."""
        return self._wait(self._component.append(topic, *items))

    def subscribe(self, topic: str, **options: str) -> None:
        """Follow another topic or pattern."""
        self._wait(self._component.subscribe(topic, **options))

    def unsubscribe(self, topic: str) -> None:
        """Follow a topic or pattern no longer."""
        self._wait(self._component.unsubscribe(topic))

    def pause(self, topic: str) -> None:
        """Hold a topic back."""
        self._wait(self._component.pause(topic))

    def resume(self, topic: str) -> None:
        """Go on with a topic where it was held back."""
        self._wait(self._component.resume(topic))

    def commit(self, record: Record | None = None) -> None:
        """Keep the cursors of what was processed and tell the server."""
        self._wait(self._component.commit(record))

    def refresh(self, token: str) -> None:
        """Go on with a new session token, now and after every cut."""
        self._wait(self._component.refresh(token))

    def finish(self) -> None:
        """Say that the work is done."""
        self._wait(self._component.finish())

    @property
    def component_id(self) -> str:
        """The UUID given by Aegis; empty before the first registration."""
        return self._component.component_id

    @property
    def name(self) -> str:
        """The name in the session."""
        return self._component.name

    @property
    def session_id(self) -> str:
        """The session's id; empty before the first registration."""
        return self._component.session_id

    @property
    def standing(self) -> Standing | None:
        """Where session and component stand, None while not connected."""
        return self._component.standing
