"""The engine on Valkey: what it keeps, how much it asks, and what two processes make of one store."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis

from streaming.core.errors import OverCapacity
from streaming.core.messages import Request
from streaming.core.resume import Start
from streaming.core.rules import Keep
from streaming.engines.base import Log
from streaming.engines.retention import Retention
from streaming.engines.rulebook import RuleBook
from streaming.engines.valkey import ValkeyEngine
from streaming.engines.valkey_log import ValkeyLog
from streaming.engines.valkey_scripts import log_keys
from streaming.hub import Hub
from tests.hubs import SESSION, Client, Reader, publish, seat, until

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)
DATA = b'"' + b"x" * 98 + b'"'

Make = Callable[..., ValkeyEngine]


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    """The Valkey of the test run, empty."""
    with redis.Redis.from_url(os.environ["AEGIS_TEST_REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture
async def make(store: redis.Redis) -> AsyncIterator[Make]:
    """Makes an engine, as one process would have it."""
    made: list[ValkeyEngine] = []

    def one(keep: Keep | None = None, **options: int) -> ValkeyEngine:
        retention = Retention(default=keep or Keep(), **options)
        made.append(ValkeyEngine(os.environ["AEGIS_TEST_REDIS_URL"], retention=retention))
        return made[-1]

    yield one
    for engine in made:
        await engine.close()


@pytest.fixture
async def process(store: redis.Redis) -> AsyncIterator[Callable[[], Awaitable[Hub]]]:
    """Makes the hub of a process."""
    made: list[Hub] = []

    async def one() -> Hub:
        made.append(Hub(engines=[ValkeyEngine(os.environ["AEGIS_TEST_REDIS_URL"])]))
        await made[-1].start()
        return made[-1]

    yield one
    for hub in made:
        await hub.stop()


async def opened(engine: ValkeyEngine, topic: str = TOPIC) -> Log:
    log = await engine.open((SESSION, topic))
    assert log is not None
    return log


def calls(store: redis.Redis) -> int:
    """How many scripts the store has run."""
    stats: Any = store.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


# What is kept


@pytest.mark.parametrize(
    ("keep", "most"),
    [(Keep(records=100), 300), (Keep(bytes=10_000), 100)],
    ids=["records", "bytes"],
)
async def test_retention_keeps_what_it_promises_and_little_more(make: Make, keep: Keep, most: int):
    log = await opened(make(keep))

    for _ in range(100):
        await log.append([(1, DATA)] * 10)

    kept = log.head - log.start + 1
    assert min(keep.records, keep.bytes // len(DATA)) * 31 // 32 <= kept <= most
    cut = await log.read(log.start - 1, limit=1)
    assert cut is not None
    assert cut.first == log.start
    assert await log.match(log.start - 1) is not None
    assert await log.match(log.start - 2) is None


async def test_last_record_is_kept_however_large_it_is(make: Make):
    log = await opened(make(Keep(bytes=1024)))

    await log.append([(1, DATA)] * 50)
    await log.append([(1, b'"%b"' % (b"y" * 5000))])

    assert (log.start, log.head) == (51, 51)


async def test_records_grow_old_though_nothing_is_appended(make: Make):
    engine = make(Keep(age_seconds=0.5))
    log = await opened(engine)
    end = await log.append([(1, DATA)] * 3)

    async with asyncio.timeout(20):
        while log.start <= log.head:
            await engine.wait({KEY}, 0.2)

    assert (log.start, log.head) == (4, 3)
    assert await log.match(3) == end.ck
    assert await opened(make()) is not log


async def test_start_by_time_is_found_over_the_seconds(make: Make):
    engine = make()
    log = await opened(engine)
    (points,) = [log_keys(KEY)[2]]

    for ts in (1000, 5000, 3000, 9000):
        await log.append([(ts, DATA)])
        # The index has a point for each second that is over.
        await engine.link.send("HINCRBY", log_keys(KEY)[0], "y", -1)

    assert len(await engine.link.send("ZRANGE", points, 0, -1)) == 3
    assert [await log.seq_at(ts) for ts in (0, 1001, 5001, 9001)] == [1, 2, 4, 5]


async def test_rules_of_a_session_hold_for_its_logs(store: redis.Redis):
    rules = [{"pattern": "klines.*", "retention": {"records": 50}}]

    async def load(_: object) -> dict[str, object]:
        return {SESSION: rules}

    book = RuleBook(load)
    engine = ValkeyEngine(os.environ["AEGIS_TEST_REDIS_URL"], rules=book)
    try:
        log, other = await opened(engine), await opened(engine, "trades.BTC")
        for one in (log, other):
            await one.append([(1, DATA)] * 500)
            await one.refresh()
        before = (log.start, other.start)
        rules = [{"pattern": "trades.*", "retention": {"records": 50}}]
        book.hear(SESSION)
        await book.of(SESSION)
        await engine.wait({KEY}, 0.01)
    finally:
        await engine.close()

    assert before[0] > 300
    assert before[1] == 1
    assert other.start > 300


async def test_session_may_not_have_more_topics_than_the_store_allows(make: Make):
    first, second = make(max_topics=2), make(max_topics=2)
    await opened(first, "one")
    await opened(second, "two")

    with pytest.raises(OverCapacity):
        await opened(first, "three")
    again = await opened(second, "one")

    assert again.head == 0


async def test_mirrors_of_a_process_stay_within_one_bound(make: Make):
    engine = make(total_bytes=25_000)
    logs = [await opened(engine, f"klines.{n}") for n in range(4)]
    for count, log in enumerate(logs, 1):
        await log.append([(1, DATA)] * 50 * count)
    before = [len(log.mirror) for log in logs if isinstance(log, ValkeyLog)]

    await engine.wait({KEY}, 0.01)
    after = [len(log.mirror) for log in logs if isinstance(log, ValkeyLog)]
    cut = await logs[3].read(0)
    end = await logs[3].append([(1, b"1")])

    assert (before, after) == ([50, 100, 150, 200], [50, 100, 0, 0])
    assert cut is not None
    assert len(cut.data) == 200
    assert (end.seq, await logs[3].match(200)) == (201, cut.ck)


# How much is asked


async def test_appends_of_one_turn_are_one_call(make: Make, store: redis.Redis):
    log = await opened(make())
    before = calls(store)

    ends = await asyncio.gather(*(log.append([(1, b"%d" % n)]) for n in range(100)))

    assert [end.seq for end in ends] == list(range(1, 101))
    assert calls(store) - before == 1


async def test_many_sockets_cost_one_reading(
    process: Callable[[], Awaitable[Hub]], store: redis.Redis
):
    writing, reading = await process(), await process()
    for n in range(300):
        await publish(writing, TOPIC, n)
    clients = [Client() for _ in range(50)]
    before = calls(store)

    for n, client in enumerate(clients):
        await reading.subscribe(
            seat(f"{n}"), client.send, [Request(TOPIC, begin=Start("earliest"))]
        )
    await until(lambda: all(len(client.seqs) == 300 for client in clients))

    # Opening, the pages, and what is asked each second: far from one for each socket.
    assert calls(store) - before < 25
    assert {tuple(client.seqs) for client in clients} == {tuple(range(1, 301))}


# Two processes


async def test_publication_repeated_at_another_process_stands_once(make: Make):
    one, other = await opened(make()), await opened(make())
    mark = ("feed", 1, 7)

    first = await one.append([(1, b"1"), (1, b"2")], mark)
    again = await other.append([(1, b"1"), (1, b"2")], mark)
    both = await asyncio.gather(
        other.append([(1, b"3")], ("feed", 1, 8)),
        other.append([(1, b"3")], ("feed", 1, 8)),
        other.append([(1, b"1"), (1, b"2")], mark),
        other.append([(1, b"4")]),
    )

    assert again == first
    assert [end.seq for end in both] == [3, 3, 2, 4]
    await one.refresh()
    cut = await one.read(0)
    assert cut is not None
    assert cut.data == [b"1", b"2", b"3", b"4"]


async def test_hubs_of_two_processes_deliver_one_order(process: Callable[[], Awaitable[Hub]]):
    hubs = [await process(), await process()]
    clients = [Client() for _ in hubs]
    for n, (hub, client) in enumerate(zip(hubs, clients, strict=True)):
        await hub.subscribe(seat(f"{n}"), client.send, [Request(TOPIC)])

    async def write(number: int) -> None:
        for n in range(100):
            await publish(hubs[number], TOPIC, [number, n])

    await asyncio.gather(write(0), write(1))
    await until(lambda: all(len(client.seqs) == 200 for client in clients))

    tracks = [Reader().read(client).tracks[TOPIC] for client in clients]
    assert tracks[0].got == tracks[1].got
    assert [track.missing for track in tracks] == [[], []]


async def test_topic_of_another_process_is_announced_to_a_wildcard(
    process: Callable[[], Awaitable[Hub]],
):
    here, there = await process(), await process()
    client = Client()
    await here.subscribe(seat(), client.send, [Request("klines.*")], ref=5)

    await publish(there, "trades.BTC", "not asked for")
    await publish(there, "klines.ETH", 1, 2)
    await until(lambda: len(client.seqs) == 2)

    answers = [
        (frame["id"], [one["topic"] for one in frame["topics"]])
        for frame in client.told("SUBSCRIBED")
    ]
    assert answers == [(5, []), (5, ["klines.ETH"])]
    assert [data for _, _, data in client.records] == [1, 2]


async def test_forgotten_session_leaves_nothing_in_the_store(make: Make, store: redis.Redis):
    engine = make()
    for topic in ("klines.BTC", "klines.ETH"):
        await (await opened(engine, topic)).append([(1, DATA)], ("feed", 1, 1))

    await engine.forget(SESSION)

    assert store.keys() == []
