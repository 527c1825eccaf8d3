"""What tests of the SDK share: a component of the fake server, and waiting with a deadline."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from components.core.reconnect import Backoff
from components.sdk import Component, Record, Subscription
from tests.integration.components.fake import FAST, TOKEN, FakeAegis

KLINES = "klines.BTCUSDT.1m"
QUICK = Backoff(base_seconds=0.01, most_seconds=0.05)


def component(aegis: FakeAegis, *topics: str | Subscription, **options: Any) -> Component:
    given: dict[str, Any] = {
        "url": aegis.url,
        "token": TOKEN,
        "beats": FAST,
        "backoff": QUICK,
        **options,
    }
    return Component("sma", topics=topics, **given)


async def until(holds: Callable[[], object]) -> None:
    """Wait until it holds, at most ten seconds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 -- whatever a test waits for
            await asyncio.sleep(0.005)


async def take(source: AsyncIterator[Record], count: int) -> list[Record]:
    """The next so many of an asynchronous iterator, within ten seconds."""
    async with asyncio.timeout(10):
        return [await anext(source) for _ in range(count)]


def seqs(records: Iterable[Record]) -> list[int]:
    return [record.seq for record in records]
