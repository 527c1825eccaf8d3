from dataclasses import replace

import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.core.errors import TopicNotFound, UnknownTopic
from streaming.sources import source
from streaming.sources.clock_range import OPEN_END, ClockRange
from streaming.sources.csv_reader import CsvTopic
from streaming.sources.source import SourceSpec
from tests import archive

EPOCHS = {"trades.BTCUSDT": "0" * 16, "klines.BTCUSDT.1m": "1" * 16}


def test_config_becomes_a_spec(tmp_path):
    config = {
        "layout": "csv",
        "dataset": "data",
        "topics": ["aggtrades.BTCUSDT", "klines.*.1m", "aggTrades.BTCUSDT"],
        "from": "2024-08-08",
        "to": 1_723_075_200_001,
        "open": True,
        "speed": 4,
    }

    assert source.read_spec(config, datasets={"data": tmp_path}) == SourceSpec(
        tmp_path,
        ("aggTrades.BTCUSDT", "klines.*.1m"),
        ClockRange(1_723_075_200_000, 1_723_075_200_001),
        is_open_clock=True,
    )


def test_config_needs_a_dataset_and_topics_only(tmp_path):
    config = {"dataset": "data", "topics": ["trades.BTCUSDT"]}

    assert source.read_spec(config, datasets={"data": tmp_path}) == SourceSpec(
        tmp_path, ("trades.BTCUSDT",), ClockRange(0, OPEN_END), is_open_clock=False
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"layout": "parquet"}, ValidationFailed),
        ({"dataset": "../etc"}, ValidationFailed),
        ({"dataset": None}, ValidationFailed),
        ({"topics": []}, ValidationFailed),
        ({"topics": "trades.BTCUSDT"}, ValidationFailed),
        ({"topics": [1]}, ValidationFailed),
        ({"topics": ["../secret"]}, UnknownTopic),
        ({"topics": ["orderbook.BTCUSDT"]}, TopicNotFound),
        ({"from": [1]}, ValidationFailed),
        ({"from": 2, "to": 1}, ValidationFailed),
        ({"open": "yes"}, ValidationFailed),
    ],
)
def test_config_of_another_form_is_refused(tmp_path, change, error):
    config = {"dataset": "data", "topics": ["trades.BTCUSDT"], **change}

    with pytest.raises(error):
        source.read_spec(config, datasets={"data": tmp_path})


def test_topics_are_opened_in_clock_order(tmp_path):
    for topic in ("klines.ETHUSDT.1m", "klines.BTCUSDT.1m", "trades.ETHUSDT", "metrics.BTCUSDT"):
        archive.write(tmp_path, topic, [])
    spec = SourceSpec(tmp_path, ("klines.*.1m", "trades.ETHUSDT", "klines.BTCUSDT.1m"))

    opened = source.open_source(spec)

    assert [topic.topic for topic in opened.topics] == [
        "trades.ETHUSDT",
        "klines.BTCUSDT.1m",
        "klines.ETHUSDT.1m",
    ]


@pytest.mark.parametrize("topic", ["trades.ETHUSDT", "klines.*.5m", "klines.BTCUSDT.*"])
def test_topic_without_a_file_is_refused_by_name(tmp_path, topic):
    archive.write(tmp_path, "trades.BTCUSDT", [])

    with pytest.raises(TopicNotFound) as refusal:
        source.open_source(SourceSpec(tmp_path, ("trades.BTCUSDT", topic)))

    assert refusal.value.details == {"topic": topic}


@pytest.mark.parametrize(("is_open", "column"), [(False, "close_time"), (True, "open_time")])
def test_klines_have_the_clock_that_is_asked_for(tmp_path, is_open, column):
    archive.write(tmp_path, "klines.BTCUSDT.1m", [])
    spec = SourceSpec(tmp_path, ("klines.BTCUSDT.1m",), is_open_clock=is_open)

    [topic] = source.open_source(spec).topics
    assert isinstance(topic, CsvTopic)
    assert topic.columns.clock == column


def test_many_topics_share_the_memory_for_blocks(tmp_path):
    names = tuple(f"trades.S{number}" for number in range(128))
    for name in names:
        archive.write(tmp_path, name, [])

    opened = source.open_source(SourceSpec(tmp_path, names))

    assert {topic.facts()[0] for topic in opened.topics} == {4 * 2**20 // 128}


def test_fingerprint_differs_with_what_the_records_depend_on(tmp_path):
    for topic in EPOCHS:
        archive.write(tmp_path, topic, ["x"])
    spec = SourceSpec(tmp_path, tuple(EPOCHS))

    def fingerprint(changed=spec, epochs=EPOCHS):
        return source.open_source(changed).fingerprint(epochs)

    first, again = fingerprint(), fingerprint()
    others = {
        fingerprint(replace(spec, range=ClockRange(1, 2))),
        fingerprint(replace(spec, is_open_clock=True)),
        fingerprint(replace(spec, topics=("trades.BTCUSDT",))),
        fingerprint(epochs={**EPOCHS, "trades.BTCUSDT": "2" * 16}),
    }
    archive.write(tmp_path, "trades.BTCUSDT", ["x", "y"])
    others.add(fingerprint())

    assert first == again
    assert len(others - {first}) == 5


@pytest.mark.parametrize("session", [None, "", 5])
def test_recording_is_that_of_a_session(session):
    config = {"layout": "recording", "session": session, "topics": ["**"]}

    with pytest.raises(ValidationFailed, match="session"):
        source.read_spec(config, datasets={})


def test_recording_needs_no_dataset_and_takes_any_topic():
    config = {"layout": "recording", "session": "lived", "topics": ["signals.SMA", "trades.*"]}

    spec = source.read_spec(config, datasets={})

    assert (spec.layout, spec.session) == ("recording", "lived")
    assert spec.topics == ("signals.SMA", "trades.*")
