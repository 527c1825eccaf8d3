"""The real files, against a plain reading with the csv module and a sort of everything."""

import csv
import json
from collections import Counter

import pytest

from streaming.core import position
from streaming.sources import source
from streaming.sources.blocks import RowReport
from streaming.sources.clock import Merge
from streaming.sources.source import SourceSpec
from tests import archive

pytestmark = archive.needs_data

EPOCH = "0123456789abcdef"
TOPICS = [
    f"{kind}.{symbol}{interval}"
    for symbol in ("BTCUSDT", "ETHUSDT")
    for kind, interval in (("trades", ""), ("klines", ".1m"), ("klines", ".30m"))
]
CLOCKS = {"trades": (1, "time"), "klines": (3, "close_time"), "aggTrades": (2, "transact_time")}


def merged(dataset, topics):
    spec = SourceSpec(archive.real(dataset), tuple(topics))
    report = RowReport()
    merge = Merge(
        source.open_source(spec).topics, epochs=dict.fromkeys(topics, EPOCH), report=report
    )
    rows: list[tuple[int, int, str, int, bytes, bytes]] = []
    while batch := merge.read():
        for part in batch.parts:
            name = merge.sources[part.topic].topic
            seqs = range(part.first, part.first + len(part.data))
            rows += zip(part.n, part.ts, [name] * len(seqs), seqs, part.data, part.ck, strict=True)
    assert report.rows == []
    return sorted(rows)


def plain(dataset, topics):
    rows = []
    for topic in topics:
        kind, symbol, *interval = topic.split(".")
        priority, clock = CLOCKS[kind]
        folder = archive.real(dataset).joinpath(symbol, kind, *interval)
        lines: list[dict[str, str]] = []
        for path in sorted(folder.iterdir()):
            with path.open(newline="") as file:
                lines += csv.DictReader(file)
        for seq, line in enumerate(lines, 1):
            line.pop("ignore", None)
            rows.append((int(line[clock]), priority, topic, seq, line))
    rows.sort(key=lambda row: row[:4])
    return [(n, ts, topic, seq, line) for n, (ts, _, topic, seq, line) in enumerate(rows, 1)]


def test_order_and_content_of_two_symbols_equal_a_plain_reading():
    found, wanted = merged("spot-2024-08", TOPICS), plain("spot-2024-08", TOPICS)

    # Every number as the text it is in the file.
    read = [
        (n, ts, topic, seq, json.loads(data, parse_int=str, parse_float=str))
        for n, ts, topic, seq, data, _ in found
    ]
    for row in wanted:
        if "is_buyer_maker" in row[4]:
            row[4]["is_buyer_maker"] = row[4]["is_buyer_maker"] == "true"
    assert read == wanted
    assert Counter(row[2] for row in found) == {
        "trades.BTCUSDT": 19_904,
        "trades.ETHUSDT": 14_515,
        "klines.BTCUSDT.1m": 10,
        "klines.ETHUSDT.1m": 10,
        "klines.BTCUSDT.30m": 672,
        "klines.ETHUSDT.30m": 672,
    }


def test_chain_of_real_trades_can_be_recomputed():
    ck = position.genesis("trades.ETHUSDT", EPOCH)

    for n, _, _, seq, data, found in merged("spot-2024-08", ["trades.ETHUSDT"]):
        ck = position.chain(ck, seq, data)
        assert (n, found) == (seq, ck)


@pytest.mark.parametrize(
    ("dataset", "topic", "count"),
    [
        ("spot-2020", "aggTrades.BTCUSDT", 1000),
        ("spot-2020", "klines.BTCUSDT.1m", 60),
        ("spot-2025-01", "klines.ETHUSDT.15m", 672),
    ],
)
def test_every_row_of_other_real_files_is_good(dataset, topic, count):
    found, wanted = merged(dataset, [topic]), plain(dataset, [topic])

    assert len(found) == count
    assert [row[1] for row in found] == [row[1] for row in wanted]
