"""How a server process is told to end, and that it does."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# Everybody who waits for a server may count on thirty seconds.
LIMIT_SECONDS = 28.0
ABORTED, INTERRUPTED = 1, 130


@contextlib.contextmanager
def on_signal(stop: Callable[[], None], *, give_up: Callable[[], None]) -> Iterator[None]:
    """
    Within the block, let SIGTERM and SIGINT call ``stop`` once.

    A second SIGINT, or an end that takes too long, calls ``give_up`` and ends the process where it
    stands. ``stop`` runs between two steps of the main thread and must not block.
    """
    limit = threading.Timer(LIMIT_SECONDS, lambda: _end(give_up, ABORTED))
    limit.daemon = True

    def take(number: int, _frame: FrameType | None) -> None:
        if limit.ident is None:
            limit.start()
            stop()
        elif number == signal.SIGINT:
            _end(give_up, INTERRUPTED)

    numbers = (signal.SIGTERM, signal.SIGINT)
    former = {number: signal.signal(number, take) for number in numbers}
    try:
        yield
    finally:
        for number, action in former.items():
            signal.signal(number, action)


def _end(give_up: Callable[[], None], code: int) -> None:
    try:
        give_up()
    finally:
        os._exit(code)
