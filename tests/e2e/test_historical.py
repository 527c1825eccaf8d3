"""Historical sessions over made files: pause, stop, range, speed, missing files, bad rows."""

import pytest

from components.sdk import Standing, Subscription
from tests import archive
from tests.archive import DAY_MS, kline, trade
from tests.e2e import remote
from tests.e2e.remote import Member, assert_no_traceback, opened, until

pytestmark = pytest.mark.timeout(120)

TRADES, KLINES = "trades.BTCUSDT", "klines.BTCUSDT.1m"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="module")
def server(home, folder):
    """A server whose datasets are made by the tests, each under its own name."""
    names = ("even", "slow", "minutes", "bad")
    for name in names:
        (folder / name).mkdir()
    archive.write(folder / "even", TRADES, [trade(i, DAY_MS + 10 * i) for i in range(1, 301)])
    archive.write(folder / "slow", TRADES, [trade(1, DAY_MS), trade(2, DAY_MS + 6 * HOUR_MS)])
    minutes = [DAY_MS + i * MINUTE_MS for i in range(10)]
    archive.write(folder / "minutes", TRADES, [trade(i, ts) for i, ts in enumerate(minutes, 1)])
    klines = [kline(ts, ts + MINUTE_MS - 1) for ts in minutes]
    archive.write(folder / "minutes", KLINES, klines)
    good = [trade(1, DAY_MS + 1), "two,1.5,2.0,3.00,1,true", trade(3, DAY_MS + 3), "4,1.5"]
    archive.write(folder / "bad", TRADES, good)
    datasets = ",".join(f"{name}={folder / name}" for name in names)
    with home.serve(AEGIS_DATASETS=datasets) as running:
        yield running


async def replay(server, dataset, *components, **source):
    """A historical session that waits for these components: its id and token."""
    config = {"source": {"dataset": dataset, **source}}
    made = await remote.make(server, mode="historical", config=config, components=components)
    return made["id"], made["session_token"]


async def beats(server, count):
    """Let the server beat so many times; what happens by itself has happened by then."""
    token = (await remote.make(server))["session_token"]
    async with opened(server, "control") as control:
        await control.say({"session_token": token, "topics": []})
        for _ in range(count):
            await control.hear("HEARTBEAT")


def where(member: Member) -> Standing:
    assert member.component.standing is not None
    return member.component.standing


def ns(member):
    return [record.n for record in member.records]


async def test_paused_replay_delivers_nothing_and_goes_on_without_loss(server):
    session_id, token = await replay(server, "even", "sink", speed=1)
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: len(sink.records) >= 30)

        paused = await remote.order(server, session_id, "pause")
        # Told on the control socket once the gate is closed; what is under way arrives first.
        await until(lambda: where(sink).session == "paused")
        await beats(server, 2)
        held = ns(sink)
        await beats(server, 4)
        assert (ns(sink), where(sink).component) == (held, "ready")
        resumed = await remote.order(server, session_id, "start")
        await sink.over()

    ended = await remote.session(server, session_id)
    assert (paused["state"], resumed["state"], ended["state"]) == ("paused", "running", "completed")
    assert len(held) < 300
    assert ns(sink) == list(range(1, 301))
    assert (sink.gaps, sink.receipts[TRADES].is_final) == ([], True)
    assert sink.receipts[TRADES].is_verified
    told = [
        (event["type"], event["data"].get("from"))
        for event in await remote.events(server, session_id)
    ]
    assert told.count(("session.activated", "paused")) == 1
    assert ended["activation"] == 1
    assert_no_traceback(server)


async def test_stopped_replay_goes_on_where_it_stood_in_the_same_epoch(server):
    session_id, token = await replay(server, "even", "sink", speed=1)
    async with Member(server.url, token, "sink", [TRADES], stay=True) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: len(sink.records) >= 30)

        await remote.order(server, session_id, "stop")
        await until(lambda: TRADES in sink.receipts)
        first = sink.receipts[TRADES]
        before = ns(sink)
        await remote.order(server, session_id, "start?wait=10")
        await sink.over()

    last = sink.receipts[TRADES]
    assert (first.seq, first.is_final, first.is_verified) == (before[-1], False, True)
    assert ns(sink) == list(range(1, 301))
    assert len({record.epoch for record in sink.records}) == 1
    assert (last.seq, last.count, last.is_final, last.is_verified) == (300, 300, True, True)
    assert_no_traceback(server)


@pytest.mark.parametrize(
    "bounds",
    [
        {"from": DAY_MS + 2 * MINUTE_MS, "to": DAY_MS + 5 * MINUTE_MS},
        {"from": "2024-08-08T00:02:00Z", "to": "2024-08-08T00:05:00Z"},
    ],
    ids=["milliseconds", "iso"],
)
async def test_range_is_inclusive_at_both_ends_and_looks_into_no_future(server, bounds):
    session_id, token = await replay(server, "minutes", "sink", topics=[TRADES, KLINES], **bounds)
    async with Member(server.url, token, "sink", [TRADES, KLINES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await sink.over()

    # A kline stands at its close: the one that opens at minute 4 is known at the end of it.
    expected = [(TRADES, 2)]
    for minute in (2, 3, 4):
        expected += [(KLINES, minute), (TRADES, minute + 1)]
    got = [(one.topic, (one.ts - DAY_MS) // MINUTE_MS) for one in sink.records]
    assert got == expected
    assert ns(sink) == list(range(1, len(got) + 1))
    assert (await remote.session(server, session_id))["result"] == {TRADES: 4, KLINES: 3}


async def test_clock_of_a_speed_waits_for_the_time_of_the_next_record(server):
    session_id, token = await replay(server, "slow", "sink", speed=100)
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await until(lambda: sink.records)
        await beats(server, 4)

        # The next one is six hours away, more than three minutes at this speed.
        session = await remote.session(server, session_id)
        await remote.order(server, session_id, "stop")
        await sink.over()

    assert (session["state"], session["conditions"]) == ("running", ["replaying"])
    assert (ns(sink), sink.receipts[TRADES].seq) == ([1], 1)
    assert sink.receipts[TRADES].is_verified


async def test_topic_without_a_file_refuses_the_start_and_is_named(server):
    session_id, _ = await replay(server, "even", topics=[TRADES, "trades.NOPE"])

    answer = await remote.ask(server, "POST", f"/api/v1/sessions/{session_id}/start", {})

    assert (answer.status, answer.body["error"]["code"]) == (404, "TOPIC_NOT_FOUND")
    assert answer.body["error"]["details"]["topic"] == "trades.NOPE"
    session = await remote.session(server, session_id)
    assert (session["state"], session["start_requested_at"]) == ("created", None)
    assert_no_traceback(server)


async def test_bad_rows_are_skipped_counted_and_named_in_the_log(server):
    session_id, token = await replay(server, "bad", "sink")
    async with Member(server.url, token, "sink", [TRADES]) as sink:
        await remote.order(server, session_id, "start?wait=10")
        await sink.over()

    assert [(one.n, one.seq, one.data["id"]) for one in sink.records] == [(1, 1, 1), (2, 2, 3)]
    ended = await remote.session(server, session_id)
    assert (ended["result"], ended["reason"]) == (
        {TRADES: 2},
        "data exhausted, 2 bad rows skipped",
    )
    file = "BTCUSDT/trades/BTCUSDT-trades-2024-08-08.csv"
    assert f"{file}, line 2 was skipped: id is not a whole number" in server.log()
    assert f"{file}, line 4 was skipped: 2 columns instead of 6" in server.log()


async def test_topic_that_the_source_has_not_is_refused_and_the_others_proceed(server):
    session_id, token = await replay(server, "bad", "sink")
    wanted = [Subscription("trades.OTHER"), Subscription(TRADES)]
    async with opened(server, "control") as control, opened(server, "data") as data:
        await control.say({"session_token": token, "name": "sink", "proto": {"v": 1}})
        await data.say(
            {"session_token": token, "component_id": (await control.hear("ACK"))["component_id"]}
        )
        await data.hear("ACK")
        entries = [one.request() for one in wanted]
        await data.say({"COMMAND": "SUBSCRIBE", "id": 1, "topics": entries})
        subscribed = await data.hear("SUBSCRIBED")
        await control.say({"COMMAND": "READY"})
        await remote.order(server, session_id, "start?wait=10")
        end = await data.hear("END")

        assert [one["topic"] for one in subscribed["topics"]] == [TRADES]
        assert subscribed["errors"] == [
            {"topic": "trades.OTHER", "code": "UNKNOWN_TOPIC", "temporary": False}
        ]
        assert (end["topic"], end["seq"], end["final"]) == (TRADES, 2, True)
        assert (await data.closed(), await control.closed()) == (4005, 4005)


async def test_two_replays_at_once_keep_to_their_own_clocks(server):
    first_id, first_token = await replay(server, "even", "sink", speed=0)
    second_id, second_token = await replay(server, "even", "sink", speed=2)
    async with (
        Member(server.url, first_token, "sink", [TRADES]) as first,
        Member(server.url, second_token, "sink", ["trades.*"]) as second,
    ):
        await remote.order(server, first_id, "start?wait=10")
        await remote.order(server, second_id, "start?wait=10")
        await first.over()
        await second.over()

    for member in (first, second):
        assert ns(member) == list(range(1, 301))
        assert member.receipts[TRADES].is_verified
    assert first.records[0].epoch != second.records[0].epoch
    assert_no_traceback(server)
