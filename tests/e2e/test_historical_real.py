"""A historical session over recorded exchange files, against a straight read of these files."""

import csv
import json

import pytest

from tests import archive
from tests.archive import needs_data
from tests.e2e import remote
from tests.e2e.cable import cable
from tests.e2e.places import EVERYWHERE
from tests.e2e.remote import Member, assert_no_traceback

pytestmark = [
    needs_data,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("anywhere", EVERYWHERE, indirect=True, scope="module"),
]

DATASET = "spot-2024-08"
# In the order of the clock at one timestamp.
KINDS = {"trades": "time", "klines/30m": "close_time"}
# Two components that decode as fast as they can, in one process, hardly get to their heartbeats.
UNHURRIED = {"AEGIS_LOST_SECONDS": "10", "AEGIS_GRACE_SECONDS": "20"}
TOPICS = ["trades.BTCUSDT", "trades.ETHUSDT", "klines.BTCUSDT.30m", "klines.ETHUSDT.30m"]


@pytest.fixture(scope="module")
def server(anywhere):
    with anywhere.serve(AEGIS_DATASETS=f"data={archive.real(DATASET)}", **UNHURRIED) as running:
        yield running


def straight():
    """Every row as (topic, time, values as they stand in the file), in the order of the clock."""
    found = []
    for rank, (kind, time_column) in enumerate(KINDS.items()):
        for symbol in ("BTCUSDT", "ETHUSDT"):
            word, *interval = kind.split("/")
            topic = ".".join([word, symbol, *interval])
            for path in sorted((archive.real(DATASET) / symbol / kind).glob("*.csv")):
                with path.open(newline="") as file:
                    found += [
                        (int(row[time_column]), rank, topic, told(row))
                        for row in csv.DictReader(file)
                    ]
    # Stable: rows of one topic at one time stay as they stand.
    found.sort(key=lambda row: row[:3])
    return [(topic, ts, values) for ts, _, topic, values in found]


def told(row):
    """The values of a row that a record has: all but the column that says itself to be ignored."""
    return [value for name, value in row.items() if name != "ignore"]


def values(record):
    """The values of a record in the digits in which they were sent."""
    data = json.loads(bytes(record.raw), parse_float=str, parse_int=str)
    return [str(one).lower() if isinstance(one, bool) else one for one in data.values()]


async def test_two_components_get_every_row_once_in_clock_order_though_one_is_cut(server):
    rows = straight()
    source = {"dataset": "data", "topics": TOPICS, "speed": 0}
    made = await remote.make(
        server, mode="historical", config={"source": source}, components=["whole", "cut"]
    )
    token = made["session_token"]
    cuts = []
    async with (
        cable(server.url) as line,
        Member(server.url, token, "whole", TOPICS) as whole,
        Member(line.url, token, "cut", TOPICS, window=1000) as cut,
    ):
        # The window keeps the end of the session away until what was cut off has come again.
        cut.after(len(rows) // 3, lambda: cuts.append(line.cut("/ws/data")))
        cut.after(len(rows) // 2, lambda: cuts.append(line.cut("/ws/control")))
        await remote.order(server, made["id"], "start?wait=20")
        await whole.over()
        await cut.over()
    ended = await remote.session(server, made["id"])

    assert cuts == [1, 1]
    assert (line.carried.count("/ws/control"), line.carried.count("/ws/data")) == (2, 3)
    for member in (whole, cut):
        got = member.records
        assert sorted(set(range(1, len(rows) + 1)) - {record.n for record in got}) == []
        assert [record.n for record in got] == list(range(1, len(rows) + 1))
        assert [(record.topic, record.ts, values(record)) for record in got] == rows
        assert len(member.events) == len(got) + len(TOPICS)
    counts = {topic: sum(row[0] == topic for row in rows) for topic in TOPICS}
    for member in (whole, cut):
        ends = {topic: (one.seq, one.count) for topic, one in member.receipts.items()}
        assert ends == {topic: (count, count) for topic, count in counts.items()}
        assert all(one.is_final and one.is_verified for one in member.receipts.values())
    assert (ended["state"], ended["reason"]) == ("completed", "data exhausted")
    assert ended["result"] == counts
    assert_no_traceback(server)
