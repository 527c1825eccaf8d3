"""Moving the clock of a replay over real sockets: what components get, and what is told."""

import itertools
from functools import partial

import pytest

from components.sdk import Record
from tests import archive
from tests.archive import DAY_MS, trade
from tests.e2e import remote
from tests.e2e.places import POSTGRES, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module"),
]

TRADES, ETHER = "trades.BTCUSDT", "trades.ETHUSDT"
ROWS = 300


@pytest.fixture(scope="module")
def server(anywhere, tmp_path_factory):
    """A trade of one symbol each 100 ms, of the other each 200 ms, for half a minute."""
    folder = tmp_path_factory.mktemp("clocks")
    archive.write(folder, TRADES, [trade(i, DAY_MS + 100 * i) for i in range(1, ROWS + 1)])
    archive.write(folder, ETHER, [trade(i, DAY_MS + 200 * i) for i in range(1, ROWS // 2 + 1)])
    with anywhere.serve(AEGIS_DATASETS=f"data={folder}") as running:
        yield running


async def replay(server, *components, **source):
    config = {"source": {"dataset": "data", **source}}
    made = await remote.make(server, mode="historical", config=config, components=components)
    return made["id"], made["session_token"]


async def say(server, session_id, verb, **body):
    answer = await remote.ask(server, "POST", f"/api/v1/sessions/{session_id}/{verb}", body)
    assert answer.status in {200, 202}, answer
    return answer.body


async def clock(server, session_id):
    return (await remote.ask(server, "GET", f"/api/v1/sessions/{session_id}/clock")).body


async def in_state(server, session_id, state):
    found = await remote.session(server, session_id)
    return found if found["state"] == state else None


def stands(member):
    assert member.component.standing is not None
    return member.component.standing.session


def ns(member):
    return [record.n for record in member.records]


def by_epoch(member, topic):
    """The seqs of a topic's records, by their epochs in the order in which these came."""
    mine = [one for one in member.records if one.topic == topic]
    return [
        [one.seq for one in group] for _, group in itertools.groupby(mine, lambda one: one.epoch)
    ]


async def test_steps_go_tick_by_tick_and_pause_again(server):
    session_id, token = await replay(server, "sink", speed=1)
    async with Member(server.url, token, "sink", ["trades.*"]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: len(sink.records) >= 3)
        await remote.order(server, session_id, "pause")
        await until(lambda: stands(sink) == "paused")
        before = len(sink.records)

        for count in (1, 4):
            await say(server, session_id, "step", count=count)
            await until(lambda: in_state(server, session_id, "paused"))
        stood = await clock(server, session_id)
        await until(lambda: len(sink.records) == stood["n"])
        await remote.order(server, session_id, "end")

    ticks = {record.ts for record in sink.records[before:]}
    assert len(ticks) == 5
    assert ns(sink) == list(range(1, stood["n"] + 1))
    assert (stood["steps"], stood["clock"]) == (None, max(ticks))
    assert sink.gaps == []
    told = [one["data"].get("reason") for one in await remote.events(server, session_id)]
    assert told.count("stepped") == 2
    assert_no_traceback(server)


async def test_seek_goes_on_with_an_exact_gap_and_back_in_new_epochs(server):
    session_id, token = await replay(server, "sink", speed=1)
    async with Member(server.url, token, "sink", [TRADES, ETHER]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: len(sink.records) >= 3)

        await say(server, session_id, "seek", to=DAY_MS + 20_000)
        await until(lambda: any(one.ts >= DAY_MS + 20_000 for one in sink.records))
        await say(server, session_id, "seek", to=DAY_MS + 10_000)
        await until(lambda: len(by_epoch(sink, TRADES)) == 2)
        await say(server, session_id, "speed", speed=0)
        await sink.over()

    on, *_ = [one for one in sink.gaps if one.topic == TRADES]
    assert on.first is not None
    first, second = by_epoch(sink, TRADES)
    assert (on.reason, on.last, on.count) == ("seek", 199, 199 - on.first + 1)
    played = [seq for seq in first if seq < on.first]
    assert played == list(range(1, on.first))
    assert first[len(played) :] == list(range(200, first[-1] + 1))
    assert second == list(range(100, ROWS + 1))
    back = [one for one in sink.gaps if one.reason == "epoch"]
    assert {(one.topic, one.count) for one in back} == {(TRADES, None), (ETHER, None)}
    assert by_epoch(sink, ETHER)[1] == list(range(50, ROWS // 2 + 1))
    # Each record has its place, before and after: the other symbol's earlier ones lie before it.
    assert all(one.n == one.seq + (one.seq - 1) // 2 for one in sink.records if one.topic == TRADES)
    moved = [
        one["data"]
        for one in await remote.events(server, session_id)
        if one["type"] == "session.repositioned"
    ]
    assert [one["clock"] for one in moved] == [DAY_MS + 20_000, DAY_MS + 10_000]
    assert moved[0]["from_n"] < moved[0]["n"]
    assert moved[1]["from_n"] > moved[1]["n"]
    assert (await remote.session(server, session_id))["state"] == "completed"
    assert_no_traceback(server)


async def test_seek_of_a_paused_replay_holds_until_it_runs(server):
    session_id, token = await replay(server, "sink", speed=1)
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: sink.records)
        await remote.order(server, session_id, "pause")

        await say(server, session_id, "seek", to=DAY_MS + 29_000)
        stood = await until(lambda: set_to(server, session_id, DAY_MS + 29_000))
        await say(server, session_id, "speed", speed=0)
        await remote.order(server, session_id, "start")
        await sink.over()

    # 289 trades of the one and 144 of the other lie before it.
    assert (stood["state"], stood["n"]) == ("paused", 289 + 144)
    assert by_epoch(sink, TRADES)[0][-11:] == list(range(290, 301))
    assert [one.reason for one in sink.gaps] == ["seek"]
    assert_no_traceback(server)


async def set_to(server, session_id, ts):
    found = await clock(server, session_id)
    return found if found["seek_to"] is None and found["clock"] == ts else None


async def test_restart_ends_for_good_and_begins_anew(server):
    session_id, token = await replay(server, "sink", speed=1)
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: len(sink.records) >= 5)

        again = await remote.order(server, session_id, "restart?wait=10", {"to": DAY_MS + 5000})
        await say(server, session_id, "speed", speed=0)
        await sink.over()

    first, second = by_epoch(sink, TRADES)
    assert (again["state"], again["activation"]) == ("running", 2)
    assert first == list(range(1, len(first) + 1))
    assert second == list(range(1, 51))
    ends = [one for one in sink.events if not isinstance(one, Record)]
    assert [(one.seq, one.is_final, one.is_verified) for one in ends] == [
        (len(first), True, True),
        (50, True, True),
    ]
    ended = await remote.session(server, session_id)
    assert (ended["state"], ended["result"]) == ("completed", {TRADES: 50, ETHER: 25})
    assert_no_traceback(server)


async def test_completed_replay_is_restarted_once_its_components_are_back(server):
    session_id, token = await replay(server, "sink", to=DAY_MS + 1000)
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await sink.over()

    waiting = await say(server, session_id, "restart")
    async with Member(server.url, token, "sink", [TRADES]) as again:
        await again.over()

    ended = await remote.session(server, session_id)
    assert (waiting["state"], waiting["conditions"]) == ("stopped", ["starting"])
    assert (ended["state"], ended["activation"]) == ("completed", 2)
    assert [one.seq for one in again.records] == [one.seq for one in sink.records]
    assert again.records[0].epoch != sink.records[0].epoch
    assert_no_traceback(server)


async def test_loop_replays_its_range_again_and_again(server):
    session_id, token = await replay(server, "sink", loop=True, to=DAY_MS + 2000)
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: len(by_epoch(sink, TRADES)) >= 3)
        await remote.order(server, session_id, "end")
        await sink.over()

    *rounds, _ = by_epoch(sink, TRADES)
    assert all(one == list(range(1, 21)) for one in rounds)
    assert (await remote.session(server, session_id))["activation"] >= 3
    assert_no_traceback(server)


async def test_lockstep_lets_nobody_get_a_tick_ahead_of_a_commit(server):
    session_id, token = await replay(server, "quick", "slow", lockstep=True, to=DAY_MS + 1000)
    own = {"window": 16}
    async with (
        Member(server.url, token, "quick", ["trades.*"], **own) as quick,
        Member(server.url, token, "slow", ["trades.*"], auto_commit=False, **own) as slow,
    ):
        await remote.order(server, session_id, "start?wait=10")
        seen = []
        for tick in range(1, 11):
            await until(partial(has_ticks, slow, tick))
            await until(partial(has_ticks, quick, tick))
            seen.append(ticks(quick))
            await slow.component.commit(slow.records[-1])
        await quick.over()
        await slow.over()

    assert seen == list(range(1, 11))
    assert ns(quick) == ns(slow) == list(range(1, 16))
    assert_no_traceback(server)


def has_ticks(member, count):
    return ticks(member) == count


def ticks(member):
    return len({record.ts for record in member.records})
