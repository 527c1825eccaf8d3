from typing import Any

import pytest

from aegis_project.kit.errors import AegisError
from sessions.core import source
from sessions.core.source import Source
from streaming.sources.clock_range import ClockRange


def test_a_source_needs_no_more_than_a_dataset():
    assert source.read({"dataset": "data"}) == Source(
        dataset="data", topics=(), range=ClockRange(), speed=0.0, by_open=False
    )


def test_a_source_is_read_with_all_it_says():
    described = {
        "layout": "csv",
        "dataset": "data",
        "topics": ["klines.BTCUSDT.1m", "trades.BTCUSDT", "klines.BTCUSDT.1m"],
        "from": 1_700_000_000_000,
        "to": "2023-11-14T22:13:21Z",
        "speed": 2,
        "open": True,
    }

    assert source.read(described) == Source(
        dataset="data",
        topics=("klines.BTCUSDT.1m", "trades.BTCUSDT"),
        range=ClockRange(from_ms=1_700_000_000_000, to_ms=1_700_000_001_000),
        speed=2.0,
        by_open=True,
    )


@pytest.mark.parametrize("speed", [0, 0.25, 1, 100])
def test_every_speed_of_the_range_is_taken(speed: float):
    assert source.read({"dataset": "data", "speed": speed}).speed == speed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"layout": "tape"}, "source.layout"),
        ({"layout": ["csv"]}, "source.layout"),
        ({"dataset": ""}, "source.dataset"),
        ({"dataset": None}, "source.dataset"),
        ({"topics": "trades.BTCUSDT"}, "source.topics"),
        ({"topics": [1]}, "source.topics"),
        ({"from": True}, "source.from"),
        ({"to": 1.5}, "source.to"),
        ({"speed": 0.1}, "source.speed"),
        ({"speed": 101}, "source.speed"),
        ({"speed": -1}, "source.speed"),
        ({"speed": True}, "source.speed"),
        ({"speed": "fast"}, "source.speed"),
        ({"open": 1}, "source.open"),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(change: dict[str, Any], field: str):
    with pytest.raises(AegisError) as refusal:
        source.read({"dataset": "data"} | change)

    assert (refusal.value.code, refusal.value.details) == ("VALIDATION_ERROR", {"field": field})


@pytest.mark.parametrize("value", [None, [], "data", 7])
def test_a_source_is_an_object(value: Any):
    with pytest.raises(AegisError) as refusal:
        source.read(value)

    assert refusal.value.details == {"field": "source"}


def test_a_field_that_nobody_knows_is_refused():
    with pytest.raises(AegisError) as refusal:
        source.read({"dataset": "data", "path": "/etc", "alpha": 1})

    assert refusal.value.details == {"fields": ["alpha", "path"]}


def test_a_topic_is_a_name_and_no_pattern():
    with pytest.raises(AegisError) as refusal:
        source.read({"dataset": "data", "topics": ["klines.*"]})

    assert refusal.value.details == {"topic": "klines.*"}


def test_a_range_begins_before_it_ends():
    with pytest.raises(AegisError) as refusal:
        source.read({"dataset": "data", "from": 2, "to": 1})

    assert refusal.value.details == {"from": 2, "to": 1}
