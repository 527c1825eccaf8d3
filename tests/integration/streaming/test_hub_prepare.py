"""The registered topics of a component that is READY and has not asked for any."""

import asyncio

import pytest

from streaming.core.errors import StoreDown
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub
from tests.hubs import Client, publish, seat, settle

TOPIC = "klines.BTC"
FENCE = {"fence": 1}


def small(*, records):
    """A hub that keeps only so many records of each topic."""
    return Hub(engines=[MemoryEngine(retention=Retention(default=Keep(records=records)))])


def connected(hub, client, *, topics=("klines.*",)):
    return hub.connect(seat(topics=topics), client.send, abandon=client.abandon)


async def test_component_that_is_ready_and_never_asked_gets_its_registered_topics():
    hub = small(records=100)
    await publish(hub, TOPIC, "old")
    client = Client()
    connected(hub, client)

    await hub.prepare("component-a", **FENCE)
    await hub.prepare("component-a", **FENCE)
    await publish(hub, TOPIC, "new")
    await publish(hub, "klines.ETH", "too")
    await hub.gate("component-a", is_open=True, **FENCE)
    await hub.gate("component-a", is_open=True, **FENCE)
    await settle(hub)

    assert [data for _, _, data in client.records] == ["new", "too"]
    assert client.told("SUBSCRIBED") == []


async def test_component_that_asked_keeps_what_it_asked_for():
    hub = small(records=100)
    client = Client()
    connected(hub, client)
    await hub.subscribe(seat(), client.send, ["other"])

    await hub.gate("component-a", is_open=True, **FENCE)
    await publish(hub, TOPIC, 1)
    await settle(hub)

    assert client.seqs == []


@pytest.mark.parametrize("pattern", [TOPIC, "klines.*"])
async def test_component_that_asks_while_its_topics_are_found_keeps_what_it_asked_for(
    monkeypatch, pattern
):
    hub = small(records=100)
    await publish(hub, TOPIC, "old")
    client = Client()
    connected(hub, client, topics=(pattern,))
    waiting, found = asyncio.Event(), asyncio.Event()
    find = hub.board.line

    async def late(key):
        waiting.set()
        await found.wait()
        return await find(key)

    with monkeypatch.context() as patched:
        patched.setattr(hub.board, "line", late)
        preparing = asyncio.create_task(hub.prepare("component-a", **FENCE))
        await waiting.wait()
    await hub.subscribe(seat(), client.send, ["other"], ref=7)
    found.set()
    await preparing
    await hub.gate("component-a", is_open=True, **FENCE)
    await publish(hub, TOPIC, "new")
    await publish(hub, "klines.ETH", "too")
    await publish(hub, "other", "asked for")
    await settle(hub)

    assert [data for _, _, data in client.records] == ["asked for"]
    assert [one["id"] for one in client.told("SUBSCRIBED")] == [7]


async def test_topic_that_cannot_be_had_now_is_taken_up_by_the_next_call(monkeypatch):
    hub = small(records=100)
    await publish(hub, TOPIC, "old")
    client = Client()
    connected(hub, client, topics=("other", "klines.*"))
    find = hub.board.line

    async def away(key):
        if key[1] == TOPIC:
            raise StoreDown
        return await find(key)

    with monkeypatch.context() as patched:
        patched.setattr(hub.board, "line", away)
        with pytest.raises(StoreDown):
            await hub.gate("component-a", is_open=True, **FENCE)
        await publish(hub, "other", 1)
    await hub.gate("component-a", is_open=True, **FENCE)
    await publish(hub, TOPIC, 2)
    await publish(hub, "other", 3)
    await settle(hub)

    assert sorted(data for _, _, data in client.records) == [1, 2, 3]
