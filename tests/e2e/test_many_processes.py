"""Several server processes over PostgreSQL and Valkey: nobody has to come back to the same one."""

import asyncio
import contextlib
import functools
import itertools
import json
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.e2e import remote
from tests.e2e.cable import Cable
from tests.e2e.places import place
from tests.e2e.remote import Member, opened, publish, until
from tests.serving import ROOT, Running
from tests.stores import Valkey

pytestmark = [pytest.mark.timeout(240), pytest.mark.servers]

PRICES, SIGNALS = "prices.BTCUSDT", "signals.sma"
# A process that was killed is not missed before everybody had time to find the next one.
PATIENT = {"AEGIS_LOST_SECONDS": "5", "AEGIS_GRACE_SECONDS": "20"}


class Balancer(Cable):
    """A load balancer that remembers nobody: each connection goes to the next server."""

    def __init__(self, servers):
        super().__init__(servers[0].url)
        self.turns = itertools.cycle([Cable(one.url) for one in servers])

    async def _relay(self, reader, writer):
        chosen = next(self.turns)
        self.host, self.port = chosen.host, chosen.port
        await super()._relay(reader, writer)

    def lead_to(self, *servers):
        """Send whoever comes from now on to these servers only."""
        self.turns = itertools.cycle([Cable(one.url) for one in servers])


@contextlib.asynccontextmanager
async def balanced(*servers):
    found = Balancer(servers)
    server = await asyncio.start_server(found.carry, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    found.url = f"http://{host}:{port}"
    async with server:
        try:
            yield found
        finally:
            await found.close()


@dataclass
class Crowd:
    """Three servers with a home each, on one database and one Valkey."""

    valkey: Valkey
    servers: list[Running]

    def restart_store(self, *, is_empty=False):
        """Kill Valkey, and start it again with all its data or none."""
        self.valkey.kill()
        if is_empty:
            shutil.rmtree(self.valkey.folder / "appendonlydir")
        self.valkey.start()


@contextlib.contextmanager
def crowd():
    with contextlib.ExitStack() as stack:
        valkey = stack.enter_context(Valkey(is_lasting=True))
        first = stack.enter_context(place("postgresql uvicorn"))
        settings = {
            **PATIENT,
            "AEGIS_REDIS_URL": valkey.url,
            "AEGIS_SECRET_KEY": secrets.token_hex(20),
        }
        servers = []
        for number in range(3):
            home = first.home.with_name(f"home-{number}")
            shutil.copytree(first.home, home)
            here = type(first)(home, first.arguments, first.settings)
            servers.append(stack.enter_context(here.serve(**settings)))
        yield Crowd(valkey, servers)


@pytest.fixture(scope="module")
def shared():
    with crowd() as found:
        yield found


@pytest.fixture
def servers(shared):
    return shared.servers


def data_of(member, topic=PRICES):
    return [one.data for one in member.records if one.topic == topic]


def seqs_of(member, topic=PRICES):
    return [one.seq for one in member.records if one.topic == topic]


def stands(member):
    """Where the session is, as this member was told."""
    standing = member.component.standing
    return standing and standing.session


def has_carried(line, count):
    return len(line.carried) >= count


async def test_components_of_a_session_may_be_at_any_process(servers):
    first, second, third = servers
    made = await remote.make(first, components=["feed"])
    token, session = made["session_token"], made["id"]
    async with contextlib.AsyncExitStack() as stack:
        line = await stack.enter_async_context(balanced(*servers))
        feed = await stack.enter_async_context(Member(line.url, token, "feed", role="feed"))
        sinks = [
            await stack.enter_async_context(Member(line.url, token, f"sink-{n}", [PRICES]))
            for n in range(6)
        ]
        await remote.order(second, session, "start?wait=20")
        await asyncio.gather(*(member.runs() for member in [feed, *sinks]))

        await feed.component.append(PRICES, *range(100))
        await until(lambda: all(len(sink.records) == 100 for sink in sinks))
        await remote.order(third, session, "pause")
        paused = await remote.session(first, session)
        await until(lambda: all(stands(sink) == "paused" for sink in sinks))
        await publish(second, session, PRICES, *range(100, 110))
        while_paused = [len(sink.records) for sink in sinks]
        await remote.order(first, session, "start")
        await until(lambda: all(len(sink.records) == 110 for sink in sinks))
        await remote.order(second, session, "stop")
        await asyncio.gather(*(member.over() for member in [feed, *sinks]))

    assert paused["state"] == "paused"
    assert while_paused == [100] * 6
    assert [data_of(sink) for sink in sinks] == [list(range(110))] * 6
    receipts = {sink.receipts[PRICES] for sink in sinks}
    assert len(receipts) == 1
    (receipt,) = receipts
    assert (receipt.seq, receipt.count) == (110, 110)
    assert not any(sink.gaps for sink in sinks)


async def test_cursor_of_one_process_is_proven_by_the_next(servers):
    first, _, third = servers
    made = await remote.make(first)
    token, session = made["session_token"], made["id"]
    await remote.order(third, session, "start")
    async with (
        balanced(*servers) as line,
        Member(line.url, token, "sink", [PRICES]) as sink,
        Member(line.url, token, "plain", ["prices.*"], batch=False) as plain,
    ):
        await asyncio.gather(sink.runs(), plain.runs())
        for turn in range(6):
            before = len(line.carried)
            await publish(servers[turn % 3], session, PRICES, *range(turn * 10, turn * 10 + 5))
            line.cut()
            await publish(servers[turn % 3], session, PRICES, *range(turn * 10 + 5, turn * 10 + 10))
            await until(functools.partial(has_carried, line, before + 4))
        await until(lambda: len(sink.records) == 60 and len(plain.records) == 60)
        await remote.order(first, session, "stop")
        await asyncio.gather(sink.over(), plain.over())

    for member in (sink, plain):
        assert data_of(member) == list(range(60))
        assert seqs_of(member) == list(range(1, 61))
        assert member.gaps == []


async def test_both_sockets_of_a_component_may_be_at_different_processes(servers):
    first, second, third = servers
    made = await remote.make(first, components=["one"])
    token, session = made["session_token"], made["id"]
    async with opened(first, "control") as control, opened(second, "data") as data:
        await control.say({"session_token": token, "name": "one", "topics": [PRICES], "proto": {}})
        component_id = (await control.hear("ACK"))["component_id"]
        await data.say({"session_token": token, "component_id": component_id})
        await data.hear("ACK")
        await control.say({"COMMAND": "READY"})
        await remote.order(third, session, "start?wait=20")
        await data.say({"COMMAND": "SUBSCRIBE", "id": 1, "topics": [PRICES]})
        await data.hear("SUBSCRIBED")

        await publish(third, session, PRICES, "a", "b")
        records = [await data.next(), await data.next()]
        await remote.order(third, session, "stop")
        end = await data.hear("END")
        codes = (await data.closed(), await control.closed())

    assert [(one["seq"], one["data"]) for one in records] == [(1, "a"), (2, "b")]
    assert (end["topic"], end["seq"], end["reason"]) == (PRICES, 2, "session_stopped")
    assert codes == (1000, 1000)


async def test_topic_that_appears_at_one_process_is_seen_at_all(servers):
    first, second, third = servers
    made = await remote.make(first)
    token, session = made["session_token"], made["id"]
    await remote.order(first, session, "start")

    async def is_listed():
        found = await remote.ask(third, "GET", f"/api/v1/sessions/{session}/topics")
        return {one["name"]: one["head"] for one in found.body["data"]}.get("prices.ETHUSDT") == 2

    async with Member(second.url, token, "wide", ["prices.*"]) as wide:
        await wide.runs()
        await publish(first, session, SIGNALS, "not asked for")
        await publish(first, session, "prices.ETHUSDT", 1, 2)
        await until(lambda: len(wide.records) == 2)
        path = f"/api/v1/sessions/{session}/topics/prices.ETHUSDT"
        read = (await remote.ask(third, "GET", f"{path}?start=earliest")).body
        tail = ["aegis", "topic", "tail", "prices.ETHUSDT", "--session", session]
        tailed = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "manage.py", *tail, "--from", "earliest", "--count", "2", "--json"],
            cwd=ROOT,
            env=third.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        await until(is_listed)
        missing = await remote.ask(third, "GET", path.replace("ETH", "XRP"))

    told = [(one.topic, one.seq, one.data) for one in wide.records]
    assert told == [("prices.ETHUSDT", 1, 1), ("prices.ETHUSDT", 2, 2)]
    assert [one["data"] for one in read["data"]] == [1, 2]
    assert [json.loads(row)["data"] for row in tailed.stdout.splitlines()] == [1, 2]
    assert missing.status == 404


async def test_writers_at_all_processes_make_one_order(servers):
    made = await remote.make(servers[0])
    token, session = made["session_token"], made["id"]
    await remote.order(servers[0], session, "start")
    async with contextlib.AsyncExitStack() as stack:
        feeds = [
            await stack.enter_async_context(Member(one.url, token, f"feed-{n}", role="feed"))
            for n, one in enumerate(servers)
        ]
        sinks = [
            await stack.enter_async_context(Member(one.url, token, f"sink-{n}", [PRICES]))
            for n, one in enumerate(servers)
        ]
        await asyncio.gather(*(member.runs() for member in [*feeds, *sinks]))

        async def write(number):
            for count in range(50):
                await feeds[number].component.publish(PRICES, [number, count])

        await asyncio.gather(*(write(number) for number in range(3)))
        await until(lambda: all(len(sink.records) == 150 for sink in sinks))

    orders = [data_of(sink) for sink in sinks]
    assert orders[0] == orders[1] == orders[2]
    assert [seqs_of(sink) for sink in sinks] == [list(range(1, 151))] * 3
    for number in range(3):
        assert [n for writer, n in orders[0] if writer == number] == list(range(50))


async def test_store_that_restarts_is_a_pause_and_one_that_forgot_is_a_gap(shared):
    first, second, third = shared.servers
    made = await remote.make(first)
    token, session = made["session_token"], made["id"]
    await remote.order(first, session, "start")

    async def is_published(value):
        records = {"records": [{"data": value}]}
        path = f"/api/v1/sessions/{session}/topics/{PRICES}"
        return (await remote.ask(second, "POST", path, records)).status == 201

    async with (
        Member(second.url, token, "near", [PRICES]) as near,
        Member(third.url, token, "far", [PRICES]) as far,
    ):
        members = [near, far]
        await asyncio.gather(*(member.runs() for member in members))
        await publish(first, session, PRICES, 1, 2)
        await until(lambda: all(len(one.records) == 2 for one in members))
        await asyncio.to_thread(shared.restart_store)
        await until(lambda: is_published(3), seconds=5)
        await until(lambda: all(len(one.records) == 3 for one in members))
        kept = [one.gaps for one in members]
        await asyncio.to_thread(shared.restart_store, is_empty=True)
        await until(lambda: all(one.gaps for one in members), seconds=5)
        await until(lambda: is_published(4), seconds=5)
        await until(lambda: all(len(one.records) == 4 for one in members))

    assert kept == [[], []]
    for one in members:
        (gap,) = one.gaps
        last, first_after = one.records[2:]
        assert data_of(one) == [1, 2, 3, 4]
        assert (gap.count, gap.reason) == (None, "epoch")
        assert last.position
        assert gap.previous == last.position.as_dict()
        assert (first_after.epoch, first_after.seq) == (gap.epoch, 1)
        assert first_after.epoch != last.epoch
    assert near.gaps[0].epoch == far.gaps[0].epoch


async def test_process_that_is_killed_costs_its_components_nothing():
    with crowd() as found:
        first, second, third = found.servers
        made = await remote.make(first, components=["sink"])
        token, session = made["session_token"], made["id"]
        async with balanced(second) as line, Member(line.url, token, "sink", [PRICES]) as sink:
            await remote.order(first, session, "start?wait=20")
            await sink.runs()
            await publish(first, session, PRICES, *range(10))
            await until(lambda: len(sink.records) == 10)

            line.lead_to(third)
            second.kill()
            await publish(first, session, PRICES, *range(10, 20))
            await until(lambda: len(sink.records) == 20)
            await remote.order(first, session, "stop")
            await sink.over()
            told = [one["type"] for one in await remote.events(third, session)]

    assert data_of(sink) == list(range(20))
    assert (seqs_of(sink), sink.gaps) == (list(range(1, 21)), [])
    assert sink.receipts[PRICES].count == 20
    assert "component.lost" not in told
