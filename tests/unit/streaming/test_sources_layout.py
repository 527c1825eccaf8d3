import pytest

from streaming.core.errors import TopicNotFound
from streaming.sources import csv_layout
from streaming.sources.csv_layout import DayFile
from tests import archive


def files(root, topic):
    name = csv_layout.read_name(topic)
    assert name is not None
    return csv_layout.files(root, name)


@pytest.mark.parametrize(
    ("topic", "spelling"),
    [
        ("trades.BTCUSDT", "trades.BTCUSDT"),
        ("AGGTRADES.ETHUSDT", "aggTrades.ETHUSDT"),
        ("bookdepth.BTCUSDT_240628", "bookDepth.BTCUSDT_240628"),
        ("Metrics.1000PEPEUSDT", "metrics.1000PEPEUSDT"),
        ("klines.BTCUSDT.1M", "klines.BTCUSDT.1M"),
    ],
)
def test_topic_has_one_spelling(topic, spelling):
    assert csv_layout.canonical(topic) == spelling


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "trades",
        "trades.btcusdt",
        "trades.BTCUSDT.1m",
        "trades.BTCUSDT.",
        "trades...",
        "trades.../BTCUSDT",
        "trades./etc",
        "klines.BTCUSDT",
        "klines.BTCUSDT.",
        "klines.BTCUSDT.7m",
        "klines.BTCUSDT.1h-by-month",
        "klines.BTCUSDT.1m.x",
        "orderbook.BTCUSDT",
    ],
)
def test_topic_that_files_cannot_have_is_refused_by_name(topic):
    with pytest.raises(TopicNotFound) as refusal:
        csv_layout.canonical(topic)

    assert refusal.value.details == {
        "topic": topic,
        "types": ["trades", "aggTrades", "klines", "bookDepth", "metrics"],
    }


def test_topics_are_those_with_a_file(tmp_path):
    for topic in ("trades.BTCUSDT", "aggTrades.BTCUSDT", "klines.ETHUSDT.1m", "klines.ETHUSDT.1M"):
        archive.write(tmp_path, topic, [])
    archive.write(tmp_path, "klines.ETHUSDT.1h-by-month", [])
    archive.write(tmp_path, "trades.lower", [])
    archive.write(tmp_path, "notes.BTCUSDT", [])
    archive.write(tmp_path, "metrics.BTCUSDT", [], day="2024-08")
    (tmp_path / "README.md").write_text("read me")

    assert csv_layout.topics(tmp_path) == [
        "aggTrades.BTCUSDT",
        "klines.ETHUSDT.1M",
        "klines.ETHUSDT.1m",
        "trades.BTCUSDT",
    ]


def test_a_dataset_that_is_not_there_has_no_topics(tmp_path):
    assert csv_layout.topics(tmp_path / "nowhere") == []


def test_files_are_found_in_the_order_of_their_days(tmp_path):
    for day in ("2024-08-10", "2024-08-08", "2024-08-09", "2024-02-30", "2024-8-9"):
        archive.write(tmp_path, "trades.BTCUSDT", [], day=day)
    folder = tmp_path / "BTCUSDT" / "trades"
    (folder / "ETHUSDT-trades-2024-08-11.csv").touch()
    (folder / "BTCUSDT-trades-2024-08-11.csv.zip").touch()

    assert files(tmp_path, "trades.BTCUSDT") == [
        DayFile(
            f"BTCUSDT/trades/BTCUSDT-trades-2024-08-{8 + index:02}.csv",
            archive.DAY_MS + index * csv_layout.DAY_MS,
        )
        for index in range(3)
    ]


def test_type_of_a_folder_and_file_is_found_in_any_case(tmp_path):
    archive.write(tmp_path, "bookdepth.BTCUSDT", [])

    found = files(tmp_path, "bookDepth.BTCUSDT")

    assert found == [DayFile("BTCUSDT/bookdepth/BTCUSDT-bookdepth-2024-08-08.csv", archive.DAY_MS)]
    assert csv_layout.topics(tmp_path) == ["bookDepth.BTCUSDT"]


def test_interval_of_a_kline_file_is_not_found_in_another_case(tmp_path):
    folder = tmp_path / "BTCUSDT" / "klines" / "1m"
    folder.mkdir(parents=True)
    (folder / "BTCUSDT-1M-2024-08-08.csv").touch()

    assert files(tmp_path, "klines.BTCUSDT.1m") == []
