from typing import Any

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import source


def test_a_source_without_topics_has_every_topic_of_its_dataset():
    assert source.read({"dataset": "data"}) == {"dataset": "data", "topics": ["**"]}


def test_a_source_keeps_what_it_says():
    described = {"layout": "csv", "dataset": "data", "topics": ["trades.BTCUSDT"], "speed": 2}

    assert source.read(described) == described


@pytest.mark.parametrize("value", [None, [], "data", 1])
def test_a_source_that_is_no_object_is_refused(value: Any):
    with pytest.raises(ValidationFailed, match="object"):
        source.read(value)


def test_unknown_fields_of_a_source_are_named():
    with pytest.raises(ValidationFailed) as refusal:
        source.read({"dataset": "data", "sped": 1, "path": "x"})

    assert refusal.value.details == {"fields": ["path", "sped"]}


@pytest.mark.parametrize("speed", [0, 0.25, 1, 100])
def test_every_speed_of_the_range_is_taken(speed: float):
    assert source.read_speed({"speed": speed}) == speed


def test_without_a_speed_it_is_as_fast_as_it_is_taken():
    assert source.read_speed({}) == 0


@pytest.mark.parametrize("speed", [0.1, 101, -1, True, "1", None])
def test_any_other_speed_is_refused(speed: Any):
    with pytest.raises(ValidationFailed, match="speed"):
        source.read_speed({"speed": speed})


@pytest.mark.parametrize("name", ["loop", "lockstep"])
@pytest.mark.parametrize("value", [1, "true", None])
def test_what_is_yes_or_no_is_nothing_else(name: str, value: Any):
    with pytest.raises(ValidationFailed, match=f"source.{name}"):
        source.read({"dataset": "data", name: value})


def test_a_source_may_loop_and_go_in_step():
    described = {"dataset": "data", "topics": ["**"], "loop": True, "lockstep": False}

    assert source.read(described) == described
