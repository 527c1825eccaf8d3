"""Replays of recorded frames and of what another session recorded, over real sockets."""

import gzip

import pytest

from tests.archive import DAY_MS
from tests.e2e import remote
from tests.e2e.places import POSTGRES, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module"),
]

TRADE, DEPTH = "spot.trade.BTCUSDT", "spot.depth.BTCUSDT.100ms"
PRICES = "prices.BTCUSDT"
FRAMES = 600


def frame(number):
    stream = "depth@100ms" if number % 3 == 0 else "trade"
    data = f'{{"e":"x","E":{DAY_MS + number},"u":{number},"p":"61837.630000"}}'
    return f'{DAY_MS + number}000000 {{"stream":"btcusdt@{stream}","data":{data}}}\n'


@pytest.fixture(scope="module")
def server(anywhere, tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    lines = [frame(number) for number in range(1, FRAMES + 1)]
    lines.insert(100, "1 nothing that anybody sent\n")
    path = folder / "binance-spot-btcusdt-20240808.jsonl.gz"
    path.write_bytes(gzip.compress("".join(lines).encode()))
    with anywhere.serve(AEGIS_DATASETS=f"frames={folder}") as running:
        yield running


async def replayed(server, wanted, **source):
    """What a component gets of a source, and the session when it is over; None if it refuses."""
    config = {"source": source}
    made = await remote.make(server, mode="historical", config=config, components=["sink"])
    async with Member(server.url, made["session_token"], "sink", wanted) as sink:
        path = f"/api/v1/sessions/{made['id']}/start?wait=20"
        if (await remote.ask(server, "POST", path, {})).status != 200:
            return None
        await sink.over()
    return sink, await remote.session(server, made["id"])


async def test_recorded_frames_are_replayed_byte_for_byte_in_the_order_of_their_events(server):
    sink, ended = await replayed(
        server, ["spot.**"], layout="frames", dataset="frames", topics=["**"]
    )

    assert [record.n for record in sink.records] == list(range(1, FRAMES + 1))
    assert [record.ts for record in sink.records] == [DAY_MS + i for i in range(1, FRAMES + 1)]
    assert all(bytes(one.raw).endswith(b'"p":"61837.630000"}') for one in sink.records)
    assert (ended["state"], ended["result"]) == (
        "completed",
        {TRADE: FRAMES - FRAMES // 3, DEPTH: FRAMES // 3},
    )
    assert ended["reason"] == "data exhausted, 1 bad rows skipped"
    assert "binance-spot-btcusdt-20240808.jsonl.gz, line 101 was skipped" in server.log()
    assert_no_traceback(server)


async def test_what_a_session_recorded_is_replayed_to_another(server):
    rules = {"topics": [{"pattern": "prices.**", "recorded": True}]}
    lived = await remote.make(server, config=rules, key="lived")
    await remote.order(server, lived["id"], "start?wait=20")
    for number in range(5):
        await remote.publish(server, lived["id"], PRICES, {"price": number}, {"price": -number})
    await remote.publish(server, lived["id"], "signals.x", "not recorded")

    # The tape is written in groups, behind the publications.
    sink, ended = await until_recorded(server, 10)

    assert [one.data["price"] for one in sink.records] == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4]
    assert [one.n for one in sink.records] == list(range(1, 11))
    assert ended["result"] == {PRICES: 10}
    assert sink.receipts[PRICES].is_verified
    assert_no_traceback(server)


async def until_recorded(server, count):
    """A replay of the recording once it has so many records."""

    async def whole():
        found = await replayed(server, ["**"], layout="recording", session="lived")
        return found if found is not None and len(found[0].records) == count else None

    return await until(whole)


async def test_session_that_recorded_nothing_refuses_the_start(server):
    other = await remote.make(server, key=f"quiet-{server.url[-5:]}")
    config = {"source": {"layout": "recording", "session": other["id"], "topics": [PRICES]}}
    made = await remote.make(server, mode="historical", config=config)

    answer = await remote.ask(server, "POST", f"/api/v1/sessions/{made['id']}/start", {})

    assert (answer.status, answer.body["error"]["code"]) == (404, "TOPIC_NOT_FOUND")
    assert answer.body["error"]["details"] == {"topic": PRICES}
