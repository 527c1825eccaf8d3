"""What a clock waits for that goes in step with those who follow it, and how its topics end."""

import asyncio

import pytest

from streaming.core.messages import Commit
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub, Limits
from tests.engines import ClockEngine
from tests.hubs import SESSION, Client, Reader, connection_of, plain_seat, seat, settle

TRADES, KLINES = "trades.BTC", "klines.BTC"
TOPICS = {TRADES: [(n, n) for n in (1, 2, 4)], KLINES: [(n, n) for n in (3, 5)]}


def replay(**limits):
    source = ClockEngine(TOPICS)
    return Hub(engines=[source, MemoryEngine()], limits=Limits(**limits)), source


async def follow(hub, own, *topics):
    client = Client()
    await hub.subscribe(own, client.send, topics)
    return client


def historical(name="h", **fields):
    return seat(name, is_historical=True, **fields)


async def advance(hub, source, n):
    source.advance(n)
    await hub.is_committed(SESSION)
    await settle(hub)


async def test_clock_in_step_waits_for_the_commit_of_everything():
    hub, source = replay()
    await follow(hub, historical(), TRADES, KLINES)
    before = await hub.is_committed(SESSION)
    await advance(hub, source, 3)

    answers = []
    for committed in ({TRADES: 1}, {TRADES: 2}, {KLINES: 1}):
        hub.commit(connection_of(hub, "h"), Commit(committed))
        answers.append(await hub.is_committed(SESSION))

    assert before is True
    assert answers == [False, False, True]


async def test_commit_ends_the_waiting():
    hub, source = replay()
    await follow(hub, historical(), TRADES)
    await advance(hub, source, 2)

    waiting = hub.is_committed(SESSION, wait_seconds=5)
    hub.commit(connection_of(hub, "h"), Commit({TRADES: 2}))

    assert await waiting is True


async def test_component_that_cannot_commit_counts_when_it_was_sent_everything():
    hub, source = replay()
    client = await follow(hub, plain_seat("h", is_historical=True), TRADES)

    await advance(hub, source, 2)

    assert client.seqs == [1, 2]
    assert await hub.is_committed(SESSION) is True


async def test_dead_component_holds_the_others_up_for_its_deadline_only():
    hub, source = replay(block_seconds=0.02)
    await follow(hub, historical("dead"), TRADES)
    await follow(hub, historical("well"), TRADES)
    await advance(hub, source, 2)
    hub.commit(connection_of(hub, "well"), Commit({TRADES: 2}))

    at_first = await hub.is_committed(SESSION)
    while not await hub.is_committed(SESSION, wait_seconds=0.005):
        pass
    await advance(hub, source, 4)
    hub.commit(connection_of(hub, "well"), Commit({TRADES: 3}))
    without_it = await hub.is_committed(SESSION)
    hub.commit(connection_of(hub, "dead"), Commit({TRADES: 3}))
    await hub.is_committed(SESSION)
    await advance(hub, source, 5)

    assert (at_first, without_it) == (False, True)
    assert not any(one.is_left_behind for one in hub.progress(SESSION))


async def test_nobody_who_runs_lets_the_clock_stand():
    hub, _ = replay()
    hub.connect(historical(), Client().send)

    assert await hub.is_committed(SESSION) is False


@pytest.mark.parametrize("is_open", [True, False], ids=["gate open", "gate closed"])
async def test_topics_end_for_good_before_they_begin_anew(is_open):
    hub, source = replay()
    client = await follow(hub, historical(window=2), TRADES)
    await advance(hub, source, 5)
    await hub.gate("component-h", is_open=is_open, fence=1)

    names = [TRADES, "never.opened"]
    concluding = asyncio.create_task(
        hub.conclude(SESSION, names, reason="restarted", wait_seconds=5)
    )
    await settle(hub)
    hub.commit(connection_of(hub, "h"), Commit({TRADES: 2}))

    assert await concluding is True
    [end] = client.told("END")
    assert (end["seq"], end["final"], end["reason"]) == (3, True, "restarted")
    track = Reader().read(client).tracks[TRADES]
    assert track.missing == ([] if is_open else [3])
