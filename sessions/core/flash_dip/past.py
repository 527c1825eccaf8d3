"""What came on a topic of the story, kept until what rests on it has come, too."""

from collections import deque
from typing import Any

Row = dict[str, Any]
# So many at most, should nothing ever rest on them.
MOST = 5000


class Past:
    """The records of one topic, by a number in them that only grows while a story is told."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kept: deque[Row] = deque(maxlen=MOST)

    def take(self, row: Row) -> None:
        """Keep a record; one that goes back begins another story."""
        if self._kept and self._number(row) < self._newest:
            self._kept.clear()
        self._kept.append(row)

    def has(self, number: int) -> bool:
        """Whether all came that belongs before this number, and the one of it."""
        return number <= self._newest

    def at(self, number: int) -> Row | None:
        """The last one up to this number; nobody asks for an earlier one afterwards."""
        while len(self._kept) > 1 and self._number(self._kept[1]) <= number:
            self._kept.popleft()
        first = self._kept[0] if self._kept else None
        return first if first is not None and self._number(first) <= number else None

    @property
    def _newest(self) -> int:
        return self._number(self._kept[-1]) if self._kept else 0

    def _number(self, row: Row) -> int:
        return int(row[self._name])


class Held:
    """
    Klines in their order, each held until what it rests on has come.

    When more than ``patience`` of them are held, the first goes on without.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._klines: deque[Row] = deque()

    def put(self, kline: Row) -> None:
        """Hold another one."""
        self._klines.append(kline)

    @property
    def first(self) -> Row | None:
        """The one that goes on next."""
        return self._klines[0] if self._klines else None

    @property
    def is_late(self) -> bool:
        """Whether nothing is waited for any more."""
        return len(self._klines) > self._patience

    def go(self) -> Row:
        """Let the first one go on."""
        return self._klines.popleft()
