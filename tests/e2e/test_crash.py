"""kill -9 of the server: nothing acknowledged is lost, and everybody goes on where they were."""

import asyncio
import contextlib
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException
from urllib.parse import urlsplit

import pytest

from components.sdk import Gap
from tests import archive
from tests.archive import DAY_MS, needs_data, trade
from tests.e2e import ledgers, remote
from tests.e2e.cable import cable
from tests.e2e.places import POSTGRES, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, until

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module"),
]

TRADES, SIGNALS, PRICES = "trades.BTCUSDT", "signals.sma", "prices.BTCUSDT"
REAL = ["trades.BTCUSDT", "trades.ETHUSDT", "klines.BTCUSDT.30m"]
ROWS = 400
THREADS, ROUNDS = 4, 2
VERBS = ["start", "pause", "start", "stop"]
# A server that was killed is not missed before everybody had time to find the next one.
PATIENT = {"AEGIS_SETTLING_SECONDS": "30", "AEGIS_LOST_SECONDS": "5", "AEGIS_GRACE_SECONDS": "20"}
# The events that say where a session stands, by the state they leave it in.
TOLD = {"session.activated": {"running"}, "session.suspended": {"paused", "stopped"}}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    archive.write(folder, TRADES, [trade(i, DAY_MS + 10 * i) for i in range(1, ROWS + 1)])
    return folder


def port_of(running):
    """The port to come back on, for those who know the server by it."""
    return str(urlsplit(running.url).port)


class Hammer:
    """Threads that move the lever of one session as fast as it is answered."""

    def __init__(self, running, session_id):
        self.running = running
        self.session_id = session_id
        self.acknowledged = []
        self.enough = threading.Event()

    def strike(self, number):
        """Move the lever until the server is gone; what it acknowledged is noted."""
        for verb in itertools.cycle(VERBS[number:] + VERBS[:number]):
            path = f"/api/v1/sessions/{self.session_id}/{verb}"
            try:
                answer = remote.send(self.running, "POST", path, {})
            except (OSError, HTTPException):
                return
            assert answer.status in {200, 400}, answer
            if answer.status == 200 and answer.body["previous_state"] != answer.body["state"]:
                self.acknowledged.append((answer.body["version"], answer.body["state"]))
            if len(self.acknowledged) >= 30:
                self.enough.set()

    def until_killed(self):
        with ThreadPoolExecutor(THREADS) as pool:
            strikes = [pool.submit(self.strike, number) for number in range(THREADS)]
            assert self.enough.wait(60)
            self.running.kill()
            for strike in strikes:
                strike.result()


def test_commands_acknowledged_before_a_kill_are_not_lost(anywhere):
    with anywhere.serve() as running:
        session_id = remote.send(running, "POST", "/api/v1/sessions", {}).body["id"]
        running.kill()
    acknowledged = []
    for number in range(ROUNDS):
        with anywhere.serve() as running:
            hammer = Hammer(running, session_id)
            hammer.until_killed()
        acknowledged += hammer.acknowledged

        types = ledgers.sound_types(anywhere, session_id)
        state, version = ledgers.state(anywhere, session_id)
        moves = [type_ for type_ in types if type_ in TOLD]
        # Each move of the state is one version and one event, with it or not at all.
        assert version == len(moves) + 1
        assert state in TOLD[moves[-1]]
        versions = [version for version, _ in acknowledged]
        assert len(versions) == len(set(versions))
        for told_version, told_state in acknowledged:
            assert told_state in TOLD[moves[told_version - 2]]
        # What was under way when the server died is done or not: at most one for each thread.
        assert 0 <= len(moves) - len(acknowledged) <= THREADS * (number + 1)

    stands = ledgers.state(anywhere, session_id)
    with anywhere.serve() as running:
        before = remote.send(running, "GET", f"/api/v1/sessions/{session_id}").body
        after = remote.send(running, "POST", f"/api/v1/sessions/{session_id}/end", {}).body
        assert (before["state"], before["version"]) == stands
        assert after["state"] == "ended"
        assert_no_traceback(running)


async def test_realtime_components_come_back_with_one_gap_to_the_last_provable_position(anywhere):
    with anywhere.serve(**PATIENT) as running:
        made = await remote.make(running, components=["feed", "sink"])
        port, token, path = port_of(running), made["session_token"], made["id"]
        async with (
            cable(running.url) as line,
            Member(line.url, token, "feed", role="feed") as feed,
            Member(line.url, token, "sink", [PRICES, SIGNALS]) as sink,
            Member(line.url, token, "plain", ["prices.*"], batch=False) as plain,
        ):
            members = [feed, sink, plain]
            await remote.order(running, path, "start?wait=20")
            await asyncio.gather(*(member.runs() for member in members))
            for number in range(50):
                await feed.component.publish(PRICES, {"price": number})
            await feed.component.append(SIGNALS, *range(7))
            await until(lambda: len(sink.records) == 57 and len(plain.records) == 50)

            line.is_broken = True
            running.kill()
            with anywhere.serve("--port", port, **PATIENT) as again:
                broken = await until(lambda: degraded(again, path), seconds=30)
                line.is_broken = False
                await asyncio.gather(*(member.runs() for member in members))
                healed = await until(lambda: sound(again, path))
                for number in range(50, 80):
                    await feed.component.publish(PRICES, {"price": number})
                await feed.component.append(SIGNALS, *range(7, 9))
                await until(lambda: len(sink.records) == 89 and len(plain.records) == 80)
                await remote.order(again, path, "stop")
                await asyncio.gather(sink.over(), plain.over(), feed.over())
                told = await remote.events(again, path)
                assert_no_traceback(again)

    assert [one["state"] for one in (broken, healed)] == ["running", "running"]
    assert [one["activation"] for one in (broken, healed)] == [1, 1]
    lost = {"component.lost", "component.failed", "session.suspended", "heartbeat.lost"}
    assert [event["type"] for event in told if event["type"] in lost] == ["session.suspended"]
    for member in (sink, plain):
        prices = [one for one in member.events if one.topic == PRICES]
        check_one_gap(prices, [{"price": number} for number in range(80)], 50)
    check_one_gap([one for one in sink.events if one.topic == SIGNALS], list(range(9)), 7)
    ledgers.sound_types(anywhere, path)


def check_one_gap(events, data, before):
    """The records, with one GAP behind the first ``before`` of them, then the END."""
    *records, _ = [one for one in events if not isinstance(one, Gap)]
    (gap,) = [one for one in events if isinstance(one, Gap)]
    last, first = records[before - 1], records[before]
    assert [one.data for one in records] == data
    assert events.index(gap) == before
    assert (gap.count, gap.first, gap.last, gap.reason) == (None, None, None, "epoch")
    assert gap.previous == {"epoch": last.epoch, "seq": last.seq, "ck": last.ck.hex()}
    assert (first.epoch != last.epoch, first.epoch, first.seq) == (True, gap.epoch, gap.next)
    assert len({one.epoch for one in records}) == 2


def has(member, count):
    return len(member.events) > count


async def degraded(running, session_id):
    """The session once its condition says that somebody is missing."""
    found = await remote.session(running, session_id)
    return found if found["conditions"] == ["degraded"] else None


async def sound(running, session_id):
    found = await remote.session(running, session_id)
    return found if found["conditions"] == [] else None


async def test_historical_session_goes_on_exactly_where_it_was(anywhere, dataset):
    settings = {**PATIENT, "AEGIS_DATASETS": f"data={dataset}"}
    config = {"source": {"dataset": "data", "speed": 1}}
    with anywhere.serve(**settings) as running:
        made = await remote.make(
            running, mode="historical", config=config, components=["one", "two"]
        )
        port, token = port_of(running), made["session_token"]
        async with (
            Member(running.url, token, "one", [TRADES]) as one,
            Member(running.url, token, "two", ["trades.*"], window=20) as two,
        ):
            await remote.order(running, made["id"], "start?wait=20")
            # Far enough for the clock to have been saved, and to have gone on since then.
            await until(lambda: min(len(one.records), len(two.records)) > 130)
            running.kill()
            with anywhere.serve("--port", port, **settings) as again:
                await one.over()
                await two.over()
                ended = await remote.session(again, made["id"])
                assert_no_traceback(again)

    for member in (one, two):
        assert [record.n for record in member.records] == list(range(1, ROWS + 1))
        assert [record.seq for record in member.records] == list(range(1, ROWS + 1))
        assert [record.data["id"] for record in member.records] == list(range(1, ROWS + 1))
        assert len({record.epoch for record in member.records}) == 1
        assert member.gaps == []
        receipt = member.receipts[TRADES]
        assert (receipt.count, receipt.is_final, receipt.is_verified) == (ROWS, True, True)
    assert (ended["state"], ended["activation"]) == ("completed", 1)
    ledgers.sound_types(anywhere, made["id"])


@needs_data
async def test_replay_of_real_files_at_full_speed_survives_kills(anywhere):
    settings = {**PATIENT, "AEGIS_DATASETS": f"data={archive.real('spot-2024-08')}"}
    config = {"source": {"dataset": "data", "topics": REAL}}
    with contextlib.ExitStack() as servers:
        running = servers.enter_context(anywhere.serve(**settings))
        made = await remote.make(
            running, mode="historical", config=config, components=["one", "two"]
        )
        port, token = port_of(running), made["session_token"]
        async with (
            Member(running.url, token, "one", REAL, window=2000) as one,
            Member(running.url, token, "two", REAL, window=1000) as two,
        ):
            await remote.order(running, made["id"], "start?wait=20")
            for count in (3000, 12_000):
                await until(partial(has, one, count), seconds=40)
                running.kill()
                running = servers.enter_context(anywhere.serve("--port", port, **settings))
            await one.over()
            await two.over()
            ended = await remote.session(running, made["id"])

    total = sum(ended["result"].values())
    assert total > 12_000
    for member in (one, two):
        assert [record.n for record in member.records] == list(range(1, total + 1))
        assert len(member.events) == total + len(REAL)
        ends = {topic: one.seq for topic, one in member.receipts.items() if one.is_verified}
        assert ends == ended["result"]
    assert (ended["state"], ended["activation"]) == ("completed", 1)
    ledgers.sound_types(anywhere, made["id"])
