"""The owner's functions and what each of them wants to hear."""

import inspect
from collections.abc import Callable
from typing import Any

from components.sdk.records import Batch, Record
from streaming.core.topics import covers

Listener = Callable[[Any], Any]


class Listeners:
    """Functions by topic pattern, for records, and by class, for everything else."""

    def __init__(self) -> None:
        self._patterns: list[tuple[str, Listener]] = []
        self._kinds: list[tuple[type, Listener]] = []
        self._matched: dict[str, list[Listener]] = {}

    def add(self, what: str | type, listener: Listener) -> None:
        """Let this function hear of a topic, a pattern or a class of events."""
        if isinstance(what, str):
            self._patterns.append((what, listener))
            self._matched.clear()
        else:
            self._kinds.append((what, listener))

    async def dispatch(self, batch: Batch) -> None:
        """Give the events of a batch to their functions, one after the other."""
        listeners = self._matched.get(batch.topic)
        if listeners is None:
            listeners = self._match(batch.topic)
        for event in batch.events:
            if type(event) is not Record:
                await self.tell(event)
                continue
            for listener in listeners:
                answer = listener(event)
                if inspect.isawaitable(answer):
                    await answer

    def _match(self, topic: str) -> list[Listener]:
        found = [each for pattern, each in self._patterns if covers([pattern], topic)]
        self._matched[topic] = found
        return found

    async def tell(self, event: object) -> bool:
        """Give one event to the functions of its class; whether there is any."""
        listeners = [each for kind, each in self._kinds if isinstance(event, kind)]
        for listener in listeners:
            answer = listener(event)
            if inspect.isawaitable(answer):
                await answer
        return bool(listeners)
