"""Running a coroutine at once, and making a task of it only when it has to wait."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine whose first step was made inline; awaiting it does the rest."""

    __slots__ = ("_coroutine", "_waiting")

    def __init__(self, coroutine: Coroutine[Any, Any, T], waiting: Any) -> None:
        self._coroutine = coroutine
        self._waiting = waiting

    def __await__(self) -> Generator[Any, Any, T]:
        step: Callable[..., Any] = self._coroutine.send
        waiting, given = self._waiting, None
        try:
            while True:
                try:
                    given = yield waiting
                except BaseException as error:  # noqa: BLE001 -- it belongs to the coroutine
                    waiting = self._coroutine.throw(error)
                else:
                    waiting = step(given)
        except StopIteration as done:
            value: T = done.value
            return value


def begin(coroutine: Coroutine[Any, Any, T]) -> tuple[T | None, Begun[T] | None]:
    """Run a coroutine until it returns (its value, and nothing left) or first has to wait."""
    try:
        waiting = coroutine.send(None)
    except StopIteration as done:
        return done.value, None
    return None, Begun(coroutine, waiting)
