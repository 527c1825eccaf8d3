"""What a hub tells of its topics over time, and several processes together."""

import msgspec
import pytest

from streaming.core.messages import Hold
from streaming.hub import Hub
from streaming.hub.watch import merge
from tests.hubs import SESSION, Client, connection_of, publish, seat, settle

TOPIC = "klines.BTC"


@pytest.fixture
async def hub():
    hub = Hub()
    yield hub
    await hub.stop()


def read(hub, at):
    return hub.watch.read(hub, SESSION, at=at)[TOPIC]


async def flow(hub, *, looks=8, count=20):
    """Publish, and look every two seconds; when the last look was."""
    for turn in range(looks):
        await publish(hub, TOPIC, *range(count))
        hub.watch.look(hub, at=turn * 2.0)
    return (looks - 1) * 2.0


async def test_rates_come_from_looking_again(hub):
    at = await flow(hub)

    reading = read(hub, at)

    assert (reading.rate, reading.rates, reading.step) == (10, [10.0] * 7, 2.0)
    assert reading.size == pytest.approx(15)
    assert (reading.gap, reading.is_silent) == (pytest.approx(0.1), False)


async def test_topic_that_stops_is_silent(hub):
    at = await flow(hub)

    reading = read(hub, at + 46)

    assert (reading.is_silent, reading.quiet) == (True, 46)


async def test_topic_that_had_its_end_is_not_silent(hub):
    at = await flow(hub)
    await hub.end((SESSION, TOPIC), "stopped", final=True)

    assert read(hub, at + 46).is_silent is False


async def test_lag_of_who_pauses_rises_and_falls(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, [TOPIC])
    connection = connection_of(hub)
    hub.hold(connection, Hold(topic=TOPIC, is_paused=True))
    at = await flow(hub, count=500)

    held = read(hub, at)
    hub.hold(connection, Hold(topic=TOPIC, is_paused=False))
    await settle(hub, rounds=40)
    after = read(hub, at)

    (one,) = held.subscribers
    assert (one.component_id, one.lag, one.is_paused) == ("component-a", 4000, True)
    assert (held.figures.lag, held.lag_seconds, held.is_behind) == (4000, None, True)
    assert (after.figures.lag, after.lag_seconds, after.is_behind) == (0, 0, False)


async def test_lag_of_who_commits_is_what_it_has_not_committed(hub):
    client = Client()
    await hub.subscribe(seat(window=10), client.send, [TOPIC])
    await publish(hub, TOPIC, *range(25))
    await settle(hub)

    (one,) = read(hub, 0).subscribers
    assert (one.lag, client.seqs[-1]) == (25, 10)


async def test_who_has_a_closed_gate_is_not_behind(hub):
    client = Client()
    hub.connect(seat(), client.send, is_open=False)
    await hub.subscribe(seat(), client.send, [TOPIC])
    at = await flow(hub, count=500)

    reading = read(hub, at)

    assert (reading.figures.lag, reading.slowest, reading.is_behind) == (4000, None, False)


async def test_drops_are_counted_for_the_topic_and_the_subscriber(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, [{"topic": TOPIC}["topic"]])
    connection = connection_of(hub)
    hub.hold(connection, Hold(topic=TOPIC, is_paused=True))
    hub.watch.look(hub, at=0)
    for _ in range(80):
        await publish(hub, TOPIC, *range(500))
    hub.hold(connection, Hold(topic=TOPIC, is_paused=False))
    await settle(hub, rounds=40)
    hub.watch.look(hub, at=2)

    reading = read(hub, 2)

    (one,) = reading.subscribers
    assert (one.gaps, one.dropped) == (1, reading.figures.dropped)
    assert one.dropped > 1000
    assert reading.is_dropping is True
    assert read(hub, 123).is_dropping is False


async def test_publishers_are_remembered_until_the_session_is_forgotten(hub):
    key = (SESSION, TOPIC)
    hub.wrote(key, "component-a")
    hub.wrote(key, "user:ana")
    hub.wrote(key, "component-a")

    assert hub.writers(key) == ["component-a", "user:ana"]
    await hub.forget(SESSION)
    assert hub.writers(key) == []


async def test_two_processes_are_read_as_one(hub):
    at = await flow(hub)
    here = read(hub, at)
    there = msgspec.structs.replace(
        here,
        figures=msgspec.structs.replace(here.figures, head=165, subscribers=2, lag=5, last_ts=9),
        writers=["component-b"],
        policies=["conflate"],
        is_dropping=True,
        quiet=0.5,
        lag_seconds=0.25,
    )

    both = merge([here, there])

    assert (both.figures.head, both.figures.subscribers, both.figures.records) == (165, 2, 320)
    assert (both.figures.lag, both.lag_seconds, both.size) == (5, 0.25, here.size * 2)
    assert (both.writers, both.policies) == (["component-b"], ["conflate"])
    assert (both.is_silent, both.is_dropping, both.quiet) == (False, True, 0)


async def test_what_others_told_stands_beside_what_is_here(hub):
    at = await flow(hub)
    elsewhere = "22222222-2222-2222-2222-222222222222"
    hub.watch.told({"p": {elsewhere: {TOPIC: read(hub, at)}}}, missing=1)

    assert hub.watch.sessions(hub) == {SESSION, elsewhere}
    assert list(hub.watch.read(hub, elsewhere, at=at)) == [TOPIC]
    assert hub.watch.missing == 1


async def test_topic_that_is_gone_is_not_looked_at_any_more(hub):
    at = await flow(hub)
    await hub.forget(SESSION)
    hub.watch.look(hub, at=at + 2)
    await publish(hub, TOPIC, 1)

    assert read(hub, at + 2).rates == []


async def test_what_is_odd_is_found_without_reading_everything(hub):
    client = Client()
    await hub.subscribe(seat(), client.send, ["slow.BTC"])
    hub.hold(connection_of(hub), Hold(topic="slow.BTC", is_paused=True))
    for turn in range(8):
        await publish(hub, TOPIC, *range(20))
        await publish(hub, "slow.BTC", *range(300))
        hub.watch.look(hub, at=1 + turn * 2.0)
    for turn in range(8, 12):
        await publish(hub, "slow.BTC", *range(300))
        hub.watch.look(hub, at=1 + turn * 2.0)

    odd = hub.watch.odd(hub)

    assert (odd.silent, odd.behind, odd.dropping) == (
        {(SESSION, TOPIC)},
        {(SESSION, "slow.BTC")},
        set(),
    )


async def test_topic_that_is_silent_elsewhere_and_speaks_here_is_not_silent(hub):
    at = await flow(hub)
    elsewhere = "22222222-2222-2222-2222-222222222222"
    silent = msgspec.structs.replace(read(hub, at), is_silent=True, is_dropping=True)
    hub.watch.told({"p": {SESSION: {TOPIC: silent}, elsewhere: {TOPIC: silent}}}, missing=0)
    hub.watch.look(hub, at=at + 1)

    odd = hub.watch.odd(hub)

    assert odd.silent == {(elsewhere, TOPIC)}
    assert odd.dropping == {(SESSION, TOPIC), (elsewhere, TOPIC)}
