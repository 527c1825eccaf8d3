"""Listening to a real Valkey: what is wanted again is asked for again."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from streaming.engines.valkey_link import Link

CHANNEL = "aegis:heard"


class Heard:
    """A link, and what it was told."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()
        self.link = Link(
            os.environ["AEGIS_TEST_REDIS_URL"],
            check=self._check,
            told=lambda *said: self.messages.put_nowait(said),
        )

    async def _check(self) -> None:
        return None


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    one = Heard()
    yield one
    await one.link.close()


async def test_a_channel_dropped_and_wanted_again_in_one_turn_is_heard(heard: Heard):
    await heard.link.listen(CHANNEL)

    heard.link.ears.tune([])
    await heard.link.listen(CHANNEL)
    await heard.link.send("PUBLISH", CHANNEL, "moved")

    assert await heard.messages.get() == (CHANNEL.encode(), b"moved")


async def test_a_channel_that_nobody_wants_is_not_heard_any_more(heard: Heard):
    await heard.link.listen(CHANNEL)
    heard.link.ears.tune(["aegis:other"])
    await heard.link.listen("aegis:other")

    told = await heard.link.send("PUBLISH", CHANNEL, "moved")

    assert told == 0
