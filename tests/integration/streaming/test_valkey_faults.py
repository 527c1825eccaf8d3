"""What a hub does when its Valkey restarts, forgets, falls back, goes away or is not heard."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis

from streaming.core.errors import CloseCode, StoreDown
from streaming.core.messages import Request
from streaming.core.resume import Start
from streaming.engines.valkey import ValkeyEngine
from streaming.engines.valkey_link import Link
from streaming.engines.valkey_scripts import log_keys
from streaming.hub import Hub, Limits
from tests.conformance.stores import ROLLBACK
from tests.hubs import SESSION, Client, Reader, publish, seat, until
from tests.stores import Valkey

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A Valkey of its own, to be hurt."""
    with Valkey() as server:
        yield server


@pytest.fixture
def lasting() -> Iterator[Valkey]:
    """The same, whose data survive."""
    with Valkey(is_lasting=True) as server:
        yield server


@contextlib.asynccontextmanager
async def process(server: Valkey, **limits: Any) -> AsyncIterator[Hub]:
    """The hub of one process."""
    hub = Hub(engines=[ValkeyEngine(server.url)], limits=Limits(**limits))
    await hub.start()
    yield hub
    await hub.stop()


async def test_a_link_that_is_closed_connects_no_more(valkey: Valkey):
    async def check() -> None:
        return

    link = Link(valkey.url, check=check, told=lambda channel, message: None)
    await link.ready()
    assert await link.send("PING") == b"PONG"
    async with redis.asyncio.Redis.from_url(valkey.url) as client:
        assert len(await client.client_list()) == 3

        await link.close()

        for late in (link.ready(), link.send("PING")):
            with pytest.raises(StoreDown):
                await late
        await until(lambda: link.lost_at is not None)
        assert len(await client.client_list()) == 1


async def subscriber(hub: Hub, name: str = "a", begin: str = "earliest") -> Client:
    client = Client()
    request = Request(TOPIC, begin=Start("earliest" if begin == "earliest" else "latest"))
    await hub.subscribe(seat(name), client.send, [request])
    return client


async def publish_until_it_works(hub: Hub, value: int) -> None:
    async with asyncio.timeout(3):
        while True:
            with contextlib.suppress(StoreDown):
                await publish(hub, TOPIC, value)
                return
            await asyncio.sleep(0.01)


def lose_tail(server: Valkey, records: int) -> None:
    """As when a replica takes over that did not have the newest records yet."""
    with redis.Redis.from_url(server.url) as store:
        keys = log_keys(KEY)
        for _ in range(records):
            store.eval(ROLLBACK, len(keys), *keys)
        store.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def test_restart_with_its_data_is_only_a_pause(lasting: Valkey):
    async with process(lasting) as hub:
        client = await subscriber(hub)
        await publish(hub, TOPIC, 1, 2)
        await until(lambda: client.seqs == [1, 2])

        lasting.kill()
        lasting.start()
        await publish_until_it_works(hub, 3)
        await until(lambda: client.seqs == [1, 2, 3])

        track = Reader().read(client).tracks[TOPIC]
    assert ([data for _, _, data in track.got], track.missing) == ([b"1", b"2", b"3"], [])
    assert len({epoch for epoch, _, _ in track.got}) == 1


async def test_restart_without_its_data_is_a_gap_with_both_boundaries(valkey: Valkey):
    async with process(valkey) as hub:
        client = await subscriber(hub)
        last = await publish(hub, TOPIC, 1, 2)
        await until(lambda: client.seqs == [1, 2])

        valkey.kill()
        valkey.start()
        await until(lambda: client.told("GAP"))
        await publish_until_it_works(hub, 3)
        await until(lambda: client.seqs == [1, 2, 1])

        (gap,) = client.told("GAP")
        Reader().read(client)
        epoch = hub.board.lines[KEY].log.epoch
    assert (gap["from"], gap["to"], gap["count"], gap["reason"]) == (None, None, None, "epoch")
    assert (gap["prev"], gap["epoch"], gap["next"]) == (last.as_dict(), epoch, 1)
    assert epoch != last.epoch


async def test_lost_tail_is_rewound_to_what_can_be_proven(valkey: Valkey):
    async with process(valkey) as hub:
        client = await subscriber(hub)
        for value in (1, 2, 3):
            await publish(hub, TOPIC, value)
        await until(lambda: client.seqs == [1, 2, 3])
        before = hub.board.lines[KEY].log.epoch

        lose_tail(valkey, 2)
        await until(lambda: client.told("REWIND"))
        await publish_until_it_works(hub, 22)
        await until(lambda: client.seqs == [1, 2, 3, 2])

        (rewind,) = client.told("REWIND")
        track = Reader().read(client).tracks[TOPIC]
    assert (rewind["to"], rewind["epoch"] != before) == (1, True)
    assert track.missing == [("rewind", 1)]


async def test_lost_tail_that_nobody_can_place_is_a_gap(valkey: Valkey):
    async with process(valkey) as early, process(valkey) as late:
        for value in (1, 2, 3):
            await publish(early, TOPIC, value)
        client = await subscriber(late, begin="latest")

        lose_tail(valkey, 1)
        await until(lambda: client.told("GAP"))

        (gap,) = client.told("GAP")
    assert (gap["count"], gap["prev"]["seq"], gap["next"]) == (None, 3, 3)


async def test_store_out_of_reach_is_read_from_the_mirror_and_not_written(valkey: Valkey):
    async with process(valkey) as hub:
        await publish(hub, TOPIC, 1, 2)
        valkey.kill()

        with pytest.raises(StoreDown) as refused:
            await publish(hub, TOPIC, 3)
        client = await subscriber(hub)
        await until(lambda: client.seqs == [1, 2])
        read = await hub.read(KEY, 0)

        valkey.start()
        await publish_until_it_works(hub, 4)
    assert refused.value.temporary
    assert read is not None
    assert read.data == [b"1", b"2"]


async def test_store_away_for_long_closes_the_sockets_until_it_is_back(valkey: Valkey):
    async with process(valkey, away_seconds=0.3, look_seconds=0.05) as hub:
        client = await subscriber(hub)
        await publish(hub, TOPIC, 1)

        valkey.kill()
        await until(lambda: client.closed)
        with pytest.raises(StoreDown):
            await subscriber(hub, "b")
        valkey.start()
        await publish_until_it_works(hub, 2)
        again = await subscriber(hub, "c")
        await until(lambda: again.seqs)

    assert client.closed is CloseCode.STORE_DOWN
    assert [frame["code"] for frame in client.told("ERROR")] == ["STORE_DOWN"]


async def test_announcement_that_is_lost_costs_no_record(valkey: Valkey):
    async with process(valkey) as writing, process(valkey) as reading:
        client = await subscriber(reading)
        # Whatever the writer announces, the reader takes for its own.
        (one,), (other,) = writing.board.engines, reading.board.engines
        assert isinstance(one, ValkeyEngine)
        assert isinstance(other, ValkeyEngine)
        one.who = other.who

        await publish(writing, TOPIC, 1, 2, 3)

        await until(lambda: client.seqs == [1, 2, 3])
        assert not client.told("GAP")


async def test_connection_lost_in_the_middle_appends_all_the_same_once(valkey: Valkey):
    async with process(valkey) as hub:
        client = await subscriber(hub)
        with redis.Redis.from_url(valkey.url) as store:
            for value in range(20):
                publishing = asyncio.create_task(publish(hub, TOPIC, value))
                for _ in range(value % 4):
                    await asyncio.sleep(0)
                store.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                await publishing

        await until(lambda: len(client.seqs) == 20)
        track = Reader().read(client).tracks[TOPIC]
    assert [int(data) for _, _, data in track.got] == list(range(20))
    assert track.missing == []
