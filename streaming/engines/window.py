"""The idempotency window of a log: what its producers appended last, and where that stands."""

from streaming.core.position import Position
from streaming.engines.base import Producer

WINDOW = 1024
"""How many appends with a producer a log remembers."""


class Window:
    """The last appends that had a producer, oldest first."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[Producer, Position] = {}

    def find(self, producer: Producer) -> Position | None:
        """Where this was appended, if it was."""
        return self._seen.get(producer)

    def note(self, producer: Producer, position: Position) -> None:
        """Remember where this was appended."""
        self._seen[producer] = position
        if len(self._seen) > WINDOW:
            del self._seen[next(iter(self._seen))]
