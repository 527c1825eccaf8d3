"""Known places on the way through a source, sparse enough to be kept for ever."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Marks(Generic[T]):
    """
    Values under rising numbers, at least ``spacing`` apart and at most ``limit`` of them.

    When there are more, every other one goes and the spacing doubles: the memory is bounded, and
    the way from a mark to any number stays short in proportion to the whole.
    """

    def __init__(self, origin: T, *, spacing: int = 4096, limit: int = 1024) -> None:
        self.spacing = spacing
        self.limit = limit
        self._numbers = [0]
        self._values = [origin]

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, value: T) -> None:
        """Keep the value, unless there is one close before the number."""
        index = bisect_right(self._numbers, number)
        if number - self._numbers[index - 1] < self.spacing:
            return
        self._numbers.insert(index, number)
        self._values.insert(index, value)
        if len(self._numbers) > self.limit:
            self.spacing *= 2
            self._numbers, self._values = self._numbers[::2], self._values[::2]

    def before(self, number: int) -> T:
        """The value with the highest number that is not above ``number`` (0 or more)."""
        return self._values[bisect_right(self._numbers, number) - 1]

    def last(self, number: int, *, key: Callable[[T], int]) -> T:
        """The last value whose ``key``, which never falls, is not above ``number``, or the first."""
        return self._values[max(bisect_right(self._values, number, key=key), 1) - 1]
