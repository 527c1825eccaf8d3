import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import triggers

HIGH = {"path": "price", "op": "gt", "value": 10}
LOUD = {"path": "side", "value": "sell"}


@pytest.mark.parametrize(
    ("condition", "is_true"),
    [
        ({}, True),
        ({"all": [HIGH]}, True),
        ({"all": [HIGH, LOUD]}, False),
        ({"any": [LOUD, HIGH]}, True),
        ({"any": [LOUD]}, False),
    ],
)
def test_a_record_wakes_by_its_members(condition, is_true):
    assert triggers.holds(triggers.read(condition), {"price": 11, "side": "buy"}) is is_true


@pytest.mark.parametrize("condition", [{"all": [{"op": "gt"}]}, {"some": []}])
def test_what_is_no_condition_is_refused(condition):
    with pytest.raises(ValidationFailed):
        triggers.read(condition)


def test_agent_is_told_the_record():
    assert (
        triggers.prompt("Look: {data} of {topic}", topic="t", data="{topic}")
        == "Look: {topic} of t"
    )
    assert triggers.prompt("", topic="t", data="1") == "t: 1"
    assert len(triggers.prompt("{data}", topic="t", data="x" * 9000)) == triggers.LONGEST_DATA


@pytest.mark.parametrize(
    ("content", "cause", "record"),
    [
        ('alerts: {"price":1}', "alerts:0a:7", ("alerts", 7, {"price": 1})),
        ('alerts: {"price":1', "alerts:0a:7", None),
        ("Look at it.", "alerts:0a:7", None),
        ("schedule: now", "schedule:2026-01-01T00:00:00+00:00", None),
        ("Hello", "", None),
    ],
)
def test_record_that_a_message_passes_on_is_known(content, cause, record):
    assert triggers.passed_on(content, cause) == record
