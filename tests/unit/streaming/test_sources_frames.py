"""Recorded frames of exchange sockets as a source."""

import gzip
import json

import pytest

from streaming.core.errors import SourceUnreadable, TopicNotFound
from streaming.core.position import genesis
from streaming.sources import frames_names, source
from streaming.sources.blocks import RowReport
from streaming.sources.clock import Merge
from streaming.sources.clock_range import ClockRange
from streaming.sources.source import SourceSpec
from tests import archive
from tests.archive import needs_data

NOON = 1_723_118_400_000
FILE = "binance-spot-btcusdt-20240808.jsonl.gz"
TRADE, TICKER, DEPTH = "spot.trade.BTCUSDT", "spot.bookTicker.BTCUSDT", "spot.depth.BTCUSDT.100ms"


def frame(stream, local=1, **data):
    body = json.dumps({"stream": stream, "data": data}, separators=(",", ":"))
    return f"{local} {body}"


def trade(number, ms):
    return frame("btcusdt@trade", e="trade", E=NOON + ms, s="BTCUSDT", t=number, p="61837.630000")


def ticker(number):
    return frame("btcusdt@bookTicker", u=number, s="BTCUSDT", b="1.0", B="2", a="3", A="4")


def depth(number, ms):
    return frame(
        "btcusdt@depth@100ms", e="depthUpdate", E=NOON + ms, u=number, b=[["1", "2"]], a=[]
    )


def write(root, *lines, file=FILE):
    text = "".join(f"{line}\n" for line in lines).encode()
    (root / file).write_bytes(gzip.compress(text) if file.endswith(".gz") else text)


def opened(root, *topics, span=None, block_bytes=None):
    spec = SourceSpec(root, topics or ("**",), range=span or ClockRange(), layout="frames")
    found = source.open_source(spec)
    return found if block_bytes is None else archive.in_small_blocks(found, block_bytes)


def records(found, report=None):
    """Every record as (topic, ms after noon, data), in the order of the clock."""
    merge = Merge(found.topics, epochs=dict.fromkeys(names(found), "0" * 16), report=report)
    rows = []
    while batch := merge.read():
        for part in batch.parts:
            topic = merge.sources[part.topic].topic
            rows += [
                (n, topic, ts - NOON, data)
                for n, ts, data in zip(part.n, part.ts, part.data, strict=True)
            ]
    return [row[1:] for row in sorted(rows)]


def names(found):
    return [topic.topic for topic in found.topics]


# Names


@pytest.mark.parametrize(
    ("stream", "topic"),
    [
        ("btcusdt@trade", "spot.trade.BTCUSDT"),
        ("btcusdt@depth@100ms", "spot.depth.BTCUSDT.100ms"),
        ("nknusdt@kline_1m", "spot.kline.NKNUSDT.1m"),
    ],
)
def test_topic_is_called_by_its_stream_and_back(tmp_path, stream, topic):
    write(tmp_path, frame(stream, E=NOON))

    name = frames_names.read_name(topic)

    assert frames_names.topics(tmp_path) == [topic]
    assert name is not None
    assert name.stream == stream


def test_topic_has_one_spelling(tmp_path):
    config = {"layout": "frames", "dataset": "data", "topics": ["Spot.trade.btcusdt"]}

    spec = source.read_spec(config, datasets={"data": tmp_path})

    assert (spec.layout, spec.topics) == ("frames", (TRADE,))


@pytest.mark.parametrize("topic", ["trade", "spot.trade", "spot.trade.X.y.z"])
def test_name_that_no_stream_has_is_refused(tmp_path, topic):
    config = {"layout": "frames", "dataset": "data", "topics": [topic]}

    with pytest.raises(TopicNotFound):
        source.read_spec(config, datasets={"data": tmp_path})


def test_other_files_are_no_recordings(tmp_path):
    write(tmp_path, trade(1, 1), file="binance-spot-4pairs-rest-depth.txt")
    write(tmp_path, trade(1, 1), file="notes.txt")
    (tmp_path / "binance-spot-folder-ws.txt").mkdir()

    assert frames_names.topics(tmp_path) == []
    assert frames_names.topics(tmp_path / "none") == []


def test_topic_without_a_recording_is_named(tmp_path):
    write(tmp_path, trade(1, 1))

    with pytest.raises(TopicNotFound) as refusal:
        opened(tmp_path, TRADE, "spot.trade.ETHUSDT")

    assert refusal.value.details == {"topic": "spot.trade.ETHUSDT"}


# Records


def test_frames_come_in_the_order_of_their_event_times_byte_for_byte(tmp_path):
    write(tmp_path, depth(1, 5), trade(1, 4), trade(2, 4), depth(2, 8), trade(3, 8))

    found = records(opened(tmp_path))

    # At one time trades come first.
    assert [row[:2] for row in found] == [
        (TRADE, 4),
        (TRADE, 4),
        (DEPTH, 5),
        (TRADE, 8),
        (DEPTH, 8),
    ]
    assert found[0][2] == (
        b'{"e":"trade","E":%d,"s":"BTCUSDT","t":1,"p":"61837.630000"}' % (NOON + 4)
    )


def test_frame_without_an_event_time_stands_where_the_newest_event_before_it_does(tmp_path):
    write(tmp_path, ticker(1), trade(1, 4), ticker(2), depth(1, 9), trade(2, 7), ticker(3))

    found = records(opened(tmp_path, TICKER))

    # The first one goes with the event that follows: it looks into no future.
    assert [(ms, json.loads(data)["u"]) for _, ms, data in found] == [(4, 1), (4, 2), (9, 3)]


@pytest.mark.parametrize("block_bytes", [200, 400, 1000])
def test_blocks_of_any_size_give_the_same(tmp_path, block_bytes):
    lines = [
        line for i in range(40) for line in (trade(i, 10 * i), ticker(i), depth(i, 10 * i + 3))
    ]
    write(tmp_path, *lines)

    assert records(opened(tmp_path, block_bytes=block_bytes)) == records(opened(tmp_path))


def test_stream_goes_on_in_the_next_recording(tmp_path):
    write(tmp_path, trade(1, 1), ticker(1))
    write(tmp_path, ticker(2), trade(2, 5), file="binance-spot-btcusdt-20240809.jsonl.gz")

    found = records(opened(tmp_path))

    assert [(topic, ms) for topic, ms, _ in found] == [
        (TRADE, 1),
        (TICKER, 1),
        (TICKER, 1),
        (TRADE, 5),
    ]


def test_snapshot_of_a_book_is_a_topic_of_its_own(tmp_path):
    write(tmp_path, trade(1, 3), '1 {"lastUpdateId":7,"bids":[["1","2"]],"asks":[]}')

    found = records(opened(tmp_path, "spot.snapshot.BTCUSDT"))

    assert found == [
        ("spot.snapshot.BTCUSDT", 3, b'{"lastUpdateId":7,"bids":[["1","2"]],"asks":[]}')
    ]


def test_text_recording_begins_with_its_subscription(tmp_path):
    heading = "wss://stream.example:9443/stream?streams=a@trade <-> 1633998511.15"
    line = frame("btcusdt@trade", E=NOON, t=1).replace("1 {", "1633998512.06: {", 1)
    write(tmp_path, heading, line, file="binance-spot-4pairs-ws.txt")
    report = RowReport()

    assert len(records(opened(tmp_path), report)) == 1
    assert report.count == 0


def test_range_belongs_to_it_at_both_ends(tmp_path):
    write(tmp_path, *(trade(i, i) for i in range(1, 30)))
    span = ClockRange(NOON + 5, NOON + 7)

    found = opened(tmp_path, TRADE, span=span, block_bytes=300)

    assert [ms for _, ms, _ in records(found)] == [5, 6, 7]


def test_any_place_can_be_read_again(tmp_path):
    write(tmp_path, *(line for i in range(50) for line in (trade(i, i), ticker(i))))
    [topic] = opened(tmp_path, TICKER, block_bytes=500).topics
    blocks, place = [], topic.begin(genesis(TICKER, "0" * 16))
    while block := topic.read(place):
        blocks.append(block)
        place = block.next

    assert [topic.read(block.place) for block in reversed(blocks)] == blocks[::-1]
    assert [block.place.seq for block in blocks[1:]] == [block.next.seq for block in blocks[:-1]]


# What is bad


def test_bad_frames_are_told_with_file_and_line_and_skipped(tmp_path):
    cut, nonsense = trade(3, 3)[:-9], "1 nonsense"
    wrong = '1 {"stream":"btcusdt@trade","data":{"E":nope}}'
    timeless = frame("btcusdt@trade", t=9)
    lines = [trade(1, 1), cut, nonsense, wrong, trade(2, 5), trade(4, 2), timeless, "", ticker(1)]
    write(tmp_path, *lines)
    report = RowReport()

    found = records(opened(tmp_path, TRADE, TICKER), report)

    assert [(topic, ms) for topic, ms, _ in found] == [(TRADE, 1), (TRADE, 5), (TICKER, 5)]
    assert sorted((row.line, row.reason) for row in report.rows) == [
        (2, "it is not JSON"),
        (3, "it is no frame"),
        (4, "it is not JSON"),
        (6, "its event time goes back"),
        (7, "it has no event time"),
    ]
    assert {row.file for row in report.rows} == {FILE}


def test_frame_that_is_no_text_is_bad(tmp_path):
    line = b'1 {"stream":"btcusdt@trade","data":{"E":%d,"p":"\xff"}}\n' % NOON
    (tmp_path / FILE).write_bytes(gzip.compress(trade(1, 0).encode() + b"\n" + line))
    report = RowReport()

    assert len(records(opened(tmp_path, TRADE), report)) == 1
    assert [row.line for row in report.rows] == [2]


def test_line_longer_than_a_block_is_read_whole(tmp_path):
    long = frame("btcusdt@depth@100ms", E=NOON + 2, b=[["1", "2"]] * 400)
    write(tmp_path, trade(1, 1), long, trade(2, 3))

    found = records(opened(tmp_path, block_bytes=500))

    assert [(topic, ms) for topic, ms, _ in found] == [(TRADE, 1), (DEPTH, 2), (TRADE, 3)]


def test_recording_that_is_gone_cannot_be_read(tmp_path):
    write(tmp_path, trade(1, 1))
    found = opened(tmp_path, TRADE)
    (tmp_path / FILE).unlink()

    with pytest.raises(SourceUnreadable):
        records(found)
    with pytest.raises(SourceUnreadable):
        found.fingerprint({TRADE: "0" * 16})


def test_recordings_that_change_have_another_fingerprint(tmp_path):
    write(tmp_path, trade(1, 1))
    before = opened(tmp_path, TRADE).fingerprint({TRADE: "0" * 16})

    write(tmp_path, trade(1, 1), trade(2, 2))

    assert opened(tmp_path, TRADE).fingerprint({TRADE: "0" * 16}) != before


# Real recordings


@needs_data
def test_real_recordings_are_read_whole():
    report = RowReport()
    found = opened(archive.real("frames"), "spot.*.BTCUSDT", "spot.depth.BTCUSDT.100ms")

    rows = records(found, report)

    # As the README of the data counts them, both files of the symbol together.
    counts = {name: sum(row[0] == name for row in rows) for name in names(found)}
    assert counts == {
        TRADE: 9757 + 10_147,
        TICKER: 28_040 + 45_134,
        DEPTH: 3451 + 3044,
        "spot.snapshot.BTCUSDT": 1,
    }
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert report.count == 0
    ids = [json.loads(data)["t"] for name, _, data in rows if name == TRADE]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
