from dataclasses import replace
from pathlib import Path

import pytest

from streaming.core import position
from streaming.core.errors import SourceUnreadable
from streaming.sources import csv_layout
from streaming.sources.blocks import BadRow, RowReport
from streaming.sources.clock_range import ClockRange
from streaming.sources.csv_layout import DAY_MS as ONE_DAY_MS
from streaming.sources.csv_reader import CsvTopic
from tests import archive
from tests.archive import DAY_MS, trade, trade_data

GENESIS = position.genesis("trades.BTCUSDT", "0123456789abcdef")
HEADER = "id,price,qty,quote_qty,time,is_buyer_maker"
NEXT_DAY = "2024-08-09"
NEXT_DAY_MS = DAY_MS + ONE_DAY_MS


def open_topic(root: Path, topic: str = "trades.BTCUSDT", **changes) -> CsvTopic:
    name = csv_layout.read_name(topic)
    assert name is not None
    return CsvTopic(root, name, csv_layout.files(root, name), name.columns, **changes)


def blocks(topic, report=None, place=None):
    place = place or topic.begin(GENESIS)
    while block := topic.read(place, report):
        yield block
        place = block.next


def records(topic, report=None):
    return [
        (ts, data)
        for block in blocks(topic, report)
        for ts, data in zip(block.ts, block.data, strict=True)
    ]


def trades(*times):
    return [trade(number, time) for number, time in enumerate(times, 1)]


def expected(*times):
    return [(time, trade_data(number, time)) for number, time in enumerate(times, 1)]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("header", ["", HEADER, "Trade id,Price"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "last"])
def test_file_is_read_whatever_its_first_line_and_line_ends(tmp_path, mark, header, ending, end):
    times = [DAY_MS, DAY_MS, DAY_MS + 7]
    path = archive.write(tmp_path, "trades.BTCUSDT", [])
    lines = ending.join([*([header] if header else []), *trades(*times)])
    path.write_bytes((mark + lines + (ending if end else "")).encode())
    report = RowReport()

    found = records(open_topic(tmp_path), report)

    assert (found, report.count) == (expected(*times), 0)


def test_bad_rows_are_skipped_and_reported_with_file_and_line(tmp_path):
    rows = [
        trade(1, DAY_MS + 10),
        "x,1,2,3,4,true",
        "",
        "1,2",
        trade(2, DAY_MS + 9),
        trade(3, DAY_MS - ONE_DAY_MS - 1),
        trade(4, DAY_MS + 2 * ONE_DAY_MS + 1),
        trade(5, DAY_MS + 10),
    ]
    archive.write(tmp_path, "trades.BTCUSDT", rows, header=HEADER)
    archive.write(tmp_path, "trades.BTCUSDT", trades(DAY_MS + 9), day=NEXT_DAY)
    report = RowReport()

    found = records(open_topic(tmp_path), report)

    first, second = (f"BTCUSDT/trades/BTCUSDT-trades-{day}.csv" for day in ("2024-08-08", NEXT_DAY))
    topic = "trades.BTCUSDT"
    assert found == [
        (DAY_MS + 10, trade_data(1, DAY_MS + 10)),
        (DAY_MS + 10, trade_data(5, DAY_MS + 10)),
    ]
    assert report.rows == [
        BadRow(topic, first, 3, "id is not a whole number"),
        BadRow(topic, first, 5, "2 columns instead of 6"),
        BadRow(topic, first, 6, "time goes back"),
        BadRow(topic, first, 7, "time is far from the date of the file"),
        BadRow(topic, first, 8, "time is far from the date of the file"),
        BadRow(topic, second, 1, "time goes back"),
    ]
    assert report.count == 6


def test_report_keeps_the_first_rows_and_counts_all(tmp_path):
    archive.write(tmp_path, "trades.BTCUSDT", ["x"] * 5)
    report = RowReport(limit=2)

    found = records(open_topic(tmp_path), report)

    assert (found, report.count, [row.line for row in report.rows]) == ([], 5, [1, 2])


def test_lines_are_counted_over_blocks(tmp_path):
    rows = trades(*range(DAY_MS, DAY_MS + 40))
    rows[33] = "bad"
    archive.write(tmp_path, "trades.BTCUSDT", rows, header=HEADER)
    report = RowReport()

    found = records(open_topic(tmp_path, block_bytes=128), report)

    assert len(found) == 39
    assert [row.line for row in report.rows] == [35]


@pytest.mark.parametrize("block_bytes", [40, 64, 100, 4096])
def test_blocks_of_any_size_give_the_same_records_and_chain(tmp_path, block_bytes):
    days = [range(DAY_MS, DAY_MS + 20), range(NEXT_DAY_MS, NEXT_DAY_MS + 20)]
    archive.write(tmp_path, "trades.BTCUSDT", trades(*days[0]), header=HEADER)
    archive.write(tmp_path, "trades.BTCUSDT", trades(*days[1]), day=NEXT_DAY)

    found = list(blocks(open_topic(tmp_path, block_bytes=block_bytes)))

    data = [item for block in found for item in block.data]
    previous, chain = GENESIS, []
    for seq, item in enumerate(data, 1):
        previous = position.chain(previous, seq, item)
        chain.append(previous)
    assert data == [item for day in days for _, item in expected(*day)]
    assert [ck for block in found for ck in block.ck] == chain
    assert [block.place.seq for block in found[1:]] == [block.next.seq for block in found[:-1]]


def test_reading_goes_on_from_the_place_of_any_block(tmp_path):
    archive.write(tmp_path, "trades.BTCUSDT", trades(*range(DAY_MS, DAY_MS + 20)), header=HEADER)
    archive.write(tmp_path, "trades.BTCUSDT", trades(NEXT_DAY_MS), day=NEXT_DAY)
    topic = open_topic(tmp_path, block_bytes=100)

    whole = list(blocks(topic))

    for index, block in enumerate(whole):
        assert list(blocks(topic, place=block.place)) == whole[index:]
        assert list(blocks(topic, place=block.next)) == whole[index + 1 :]
        begun = block.place._replace(skip=1, skip_ck=block.ck[0])
        assert list(blocks(topic, place=begun)) == whole[index:]


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [(0, 10**15, 1, 41), (10, 10**15, 11, 41), (0, 30, 1, 31), (10, 10, 11, 11), (41, 99, 1, 0)],
)
@pytest.mark.parametrize("block_bytes", [100, 4096])
def test_both_ends_of_the_range_belong_to_it(tmp_path, begin, end, first, last, block_bytes):
    times = range(DAY_MS, DAY_MS + 41)
    archive.write(tmp_path, "trades.BTCUSDT", trades(*times), header=HEADER)
    bounds = ClockRange(DAY_MS + begin, DAY_MS + end)

    topic = open_topic(tmp_path, range=bounds, block_bytes=block_bytes)

    assert records(topic) == expected(*times)[first - 1 : last]
    assert [block.place.seq for block in blocks(topic)][:1] in ([], [0])


def test_microseconds_are_ranged_as_milliseconds(tmp_path):
    times = [(DAY_MS + ms) * 1000 + 999 for ms in range(3)]
    archive.write(tmp_path, "trades.BTCUSDT", trades(*times))

    found = records(open_topic(tmp_path, range=ClockRange(DAY_MS + 1, DAY_MS + 1)))

    assert found == [(DAY_MS + 1, trade_data(2, times[1]))]


def test_files_outside_the_range_are_never_opened(tmp_path):
    days = [f"2024-08-{day:02}" for day in range(1, 16)]
    for index, day in enumerate(days):
        archive.write(
            tmp_path, "trades.BTCUSDT", trades(DAY_MS + (index - 7) * ONE_DAY_MS), day=day
        )
    topic = open_topic(tmp_path, range=ClockRange(DAY_MS, DAY_MS + 5))
    for file in [*topic.files[:5], *topic.files[9:]]:
        (tmp_path / file.name).unlink()

    assert records(topic) == [(DAY_MS, trade_data(1, DAY_MS))]


def test_range_of_long_klines_finds_the_file_of_their_first_day(tmp_path):
    close = DAY_MS + 7 * ONE_DAY_MS - 1
    archive.write(tmp_path, "klines.BTCUSDT.1w", [archive.kline(DAY_MS, close)])

    found = records(open_topic(tmp_path, "klines.BTCUSDT.1w", range=ClockRange(close, close)))

    assert [ts for ts, _ in found] == [close]


def test_kline_clock_may_be_its_open_time(tmp_path):
    archive.write(tmp_path, "klines.BTCUSDT.1m", [archive.kline(DAY_MS, DAY_MS + 59_999)])
    topic = open_topic(tmp_path, "klines.BTCUSDT.1m")

    opened = replace(topic, columns=replace(topic.columns, clock="open_time"))

    assert [ts for ts, _ in records(topic)] == [DAY_MS + 59_999]
    assert [ts for ts, _ in records(opened)] == [DAY_MS]


def test_rows_before_the_range_are_passed_without_a_look(tmp_path):
    rows = [*trades(*[DAY_MS] * 20), trade(7, DAY_MS + 5)]
    rows[4] = "bad"
    archive.write(tmp_path, "trades.BTCUSDT", rows)
    report = RowReport()

    found = records(open_topic(tmp_path, range=ClockRange(DAY_MS + 5), block_bytes=400), report)

    assert (found, report.count) == ([(DAY_MS + 5, trade_data(7, DAY_MS + 5))], 0)


@pytest.mark.parametrize("length", [200, 300_000])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_line_longer_than_a_block_is_one_bad_row(tmp_path, length, ending):
    path = archive.write(tmp_path, "trades.BTCUSDT", trades(DAY_MS))
    path.write_text(f"{trade(1, DAY_MS)}\n{'9' * length}{ending}")
    if ending:
        path.write_text(path.read_text() + trade(2, DAY_MS) + "\n")
    report = RowReport()

    found = records(open_topic(tmp_path, block_bytes=128), report)

    assert found == expected(DAY_MS, DAY_MS)[: 2 if ending else 1]
    assert [(row.line, row.reason) for row in report.rows] == [(2, "1 columns instead of 6")]


def test_missing_file_is_named_without_its_folder(tmp_path):
    path = archive.write(tmp_path, "trades.BTCUSDT", trades(DAY_MS))
    topic = open_topic(tmp_path)
    path.unlink()

    with pytest.raises(SourceUnreadable) as failure:
        records(topic)
    with pytest.raises(SourceUnreadable):
        topic.facts()

    assert failure.value.details == {
        "topic": "trades.BTCUSDT",
        "file": "BTCUSDT/trades/BTCUSDT-trades-2024-08-08.csv",
        "reason": "No such file or directory",
    }


def test_facts_are_how_it_is_read_and_the_sizes_of_the_files(tmp_path):
    path = archive.write(tmp_path, "trades.BTCUSDT", trades(DAY_MS))

    topic = open_topic(tmp_path)

    assert topic.facts() == [
        topic.block_bytes,
        [("BTCUSDT/trades/BTCUSDT-trades-2024-08-08.csv", len(path.read_bytes()))],
    ]
