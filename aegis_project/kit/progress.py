"""How far something is that takes long, and how often somebody wants to hear of it."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Hears what is done next, how many of such things are done, and of how many."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


class Seldom:
    """
    Lets through so much of a progress as somebody can follow.

    Heard is what begins and what is over, and what lies between every so many seconds of ``clock``.
    """

    def __init__(self, hears: Progress, *, seconds: float, clock: Callable[[], float]) -> None:
        self._hears, self._seconds, self._clock = hears, seconds, clock
        self._what, self._last = "", 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        if what == self._what and done < total and now - self._last < self._seconds:
            return
        self._what, self._last = what, now
        self._hears(what, done, total)
