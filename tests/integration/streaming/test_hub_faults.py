import asyncio
from typing import Any

import pytest

from streaming.core.errors import StoreDown
from streaming.core.messages import Request
from streaming.core.resume import Start
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub, Limits
from tests.conformance.stores import WaitingStore
from tests.engines import SlowEngine, SlowLog
from tests.hubs import SESSION, Client, Reader, connection_of, publish, seat, settle, until

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)


class FragileLog(SlowLog):
    """A log whose store goes away for a while."""

    __slots__ = ()

    async def read(self, *args, **options):
        await self.ask()
        return await super().read(*args, **options)

    async def match(self, seq):
        await self.ask()
        return await super().match(seq)

    async def ask(self):
        await asyncio.sleep(0)
        store: Any = self._engine
        if store.is_down:
            raise StoreDown


class FragileEngine(SlowEngine):
    is_down = False

    def _make(self, key, keep):
        log = super()._make(key, keep)
        log.__class__ = FragileLog
        return log

    async def wait(self, keys, timeout_seconds):
        if self.is_down:
            raise StoreDown
        return await super().wait(keys, timeout_seconds)


@pytest.fixture
async def engine():
    return FragileEngine(retention=Retention(default=Keep(records=400)))


@pytest.fixture
async def hub(engine):
    hub = Hub(engines=[engine, MemoryEngine()], limits=Limits(look_seconds=0.005))
    await hub.start()
    yield hub
    await hub.stop()


@pytest.mark.parametrize("window", [0, 50])
async def test_store_that_was_away_costs_nothing_but_time(hub, engine, window):
    client, reader = Client(), Reader()
    own = seat(window=window)
    await hub.subscribe(own, client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await until(lambda: client.seqs)

    engine.is_down = True
    await publish(hub, TOPIC, 2)
    await asyncio.sleep(0.02)
    held = list(client.seqs)
    engine.is_down = False
    await until(lambda: len(client.seqs) == 2)

    track = reader.read(client).tracks[TOPIC]
    assert held == [1]
    assert (track.seq, track.missing) == (2, [])


async def test_hole_is_told_once_the_store_is_back(hub, engine):
    client, reader = Client(), Reader()
    await publish(hub, TOPIC, 0)
    await hub.subscribe(seat(), client.send, [Request(TOPIC, Start("earliest"))])
    await until(lambda: client.seqs)
    engine.is_down = True

    for start in range(0, 1000, 100):
        await publish(hub, TOPIC, *range(start, start + 100))
    engine.is_down = False
    await until(lambda: client.seqs[-1] == 1001)

    track = reader.read(client).tracks[TOPIC]
    log = hub.board.lines[KEY].log
    assert track.missing == list(range(2, log.start))


async def test_subscribing_while_the_store_is_away_is_refused_for_the_topic_alone(hub, engine):
    client = Client()
    await publish(hub, TOPIC, 0)
    engine.is_down = True

    answer = await hub.subscribe(seat(), client.send, [TOPIC])

    assert answer["errors"] == [{"topic": TOPIC, "code": "STORE_DOWN", "temporary": True}]
    assert client.closed is None


async def test_lost_tail_behind_a_store_that_has_to_be_waited_for_is_told():
    store = WaitingStore()
    hub = Hub(engines=[store.engine], mint=store.mint)
    client, reader = Client(), Reader()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)
    await publish(hub, TOPIC, 2, 3)
    await settle(hub)

    await store.rollback(hub.board.lines[KEY].log)
    await publish(hub, TOPIC, "three", "four")
    await settle(hub, rounds=10)

    track = reader.read(client).tracks[TOPIC]
    assert track.missing == [("rewind", 2)]
    assert [data for _, _, data in track.got] == [b"1", b"2", b"3", b'"three"', b'"four"']


async def test_slice_that_does_not_follow_is_not_delivered():
    hub = Hub()
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    await publish(hub, TOPIC, 1)
    await settle(hub)
    subscription = connection_of(hub).subscriptions[TOPIC]

    # What was sent is not what the log holds, whatever the reason.
    subscription.ck = b"another!"
    await publish(hub, TOPIC, 2)
    await settle(hub)

    assert client.seqs == [1, 1, 2]
    assert [(frame["to"], frame["reason"]) for frame in client.told("REWIND")] == [(0, "rollback")]


async def test_fault_in_one_connection_does_not_stop_the_round(caplog):
    hub = Hub(limits=Limits(look_seconds=0.002))
    broken, sound = Client(), Client()
    await hub.subscribe(seat("broken"), broken.send, [TOPIC])
    await hub.subscribe(seat("sound"), sound.send, [TOPIC])

    connection_of(hub, "broken").subscriptions[TOPIC].line = None
    await hub.start()
    try:
        await hub.board.lines[KEY].log.append([(0, b"1")])
        await until(lambda: sound.seqs)
    finally:
        connection_of(hub, "broken").subscriptions.clear()
        await hub.stop()

    assert sound.seqs == [1]
    assert "A connection failed" in caplog.messages


async def test_fault_in_one_listener_does_not_stop_the_flush(caplog):
    hub = Hub()
    client = Client()
    await publish(hub, "first", 1)
    await hub.subscribe(seat(), client.send, [TOPIC])

    def fail():
        raise RuntimeError

    await hub.listen((SESSION, "first"), fail)
    await publish(hub, "first", 2)
    await publish(hub, TOPIC, 1)
    await settle(hub)

    assert client.seqs == [1]
    assert caplog.messages == ["A topic could not be delivered"]
