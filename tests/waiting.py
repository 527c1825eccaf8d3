"""Waiting in a test for something to become true, with a deadline and no guess."""

import asyncio
import time
from collections.abc import Callable

SECONDS = 30.0
PAUSE_SECONDS = 0.005


async def until(is_true: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """Go on once it is true; fail the test when it is not in time."""
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110 -- what is waited for sets no event
            await asyncio.sleep(PAUSE_SECONDS)


def block_until(is_true: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """The same in a thread."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "It did not become true in time."
        time.sleep(PAUSE_SECONDS)  # noqa: TID251 -- a thread of a test, not of a server
