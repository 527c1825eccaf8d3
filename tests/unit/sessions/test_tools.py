import math
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from sessions.agent.tools import ToolSpec
from sessions.core import tools
from sessions.core.errors import InvalidToolArgs

SPEC = ToolSpec(
    name="order",
    description="Orders something.",
    parameters={
        "type": "object",
        "properties": {"count": {"type": "integer", "minimum": 1}, "what": {"type": "string"}},
        "required": ["count"],
        "additionalProperties": False,
    },
)
ANY = ToolSpec(name="any", description="", parameters={"type": "object"})


def test_a_tool_of_a_component_has_two_parts():
    name = tools.of_component("desk", "orders.place")

    assert name == "component.desk.orders.place"
    assert tools.parted(name) == ("orders.place", "desk")
    assert tools.parted("component.desk") == ("component.desk", "")
    assert tools.parted("mcp.desk.place") == ("mcp.desk.place", "")


def test_arguments_that_fit_are_taken():
    assert tools.checked(SPEC, {"count": 1, "what": "é"}) == {"count": 1, "what": "é"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "'count' is a required property"),
        ({"count": 0}, r"\$.count: 0 is less than the minimum of 1"),
        ({"count": "1"}, "is not of type 'integer'"),
        ({"count": 1, "more": 1}, "'more' was unexpected"),
        ([1], "not an object"),
        ("text", "not an object"),
        (None, "not an object"),
    ],
)
def test_arguments_against_the_schema_are_refused(arguments, why):
    with pytest.raises(InvalidToolArgs, match=why):
        tools.checked(SPEC, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": "a\x00b"},
        {"text": "\ud800"},
        {"n": 2**64},
        {"deep": [{"n": 1e300}]},
        {"n": object()},
        {"text": "x" * tools.MAX_ARGUMENTS},
    ],
)
def test_arguments_that_no_database_keeps_are_refused(arguments):
    with pytest.raises(InvalidToolArgs, match="unusable"):
        tools.checked(ANY, arguments)


def test_a_schema_that_is_not_taken_lets_nothing_by():
    spec = ToolSpec(name="odd", description="", parameters={"$ref": "https://example.com/x"})

    with pytest.raises(InvalidToolArgs, match="schema of the tool is unusable"):
        tools.checked(spec, {})


def test_a_result_is_kept_as_it_is():
    found = tools.result({"a": [1, 2.5, None, True], "b": "é"})

    assert found.marked(artifact={}) == {"a": [1, 2.5, None, True], "b": "é"}


def test_a_result_is_cleaned_of_what_cannot_be_kept():
    value = {
        "text": "a\x00b\ud800",
        1: (2**70, -1),
        "numbers": [math.nan, math.inf, 1e300, 1.5],
        "known": {UUID(int=1)},
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    }

    found = tools.result(value)

    assert found.value == {
        "text": "a\ufffdb?",
        "1": [str(2**70), -1],
        "numbers": ["nan", "inf", "1e+300", 1.5],
        "known": [str(UUID(int=1))],
        "at": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("value", [object(), {"a": object()}])
def test_what_is_not_json_is_no_result(value):
    with pytest.raises(ValueError, match="not JSON"):
        tools.result(value)


def test_a_nest_without_end_is_no_result():
    value: list[object] = []
    value.append(value)

    with pytest.raises(ValueError, match="not JSON"):
        tools.result(value)


@pytest.mark.parametrize("text", ["x", '"', "\u00e9", "\U0001f600", "\n"])
def test_a_long_result_is_its_beginning_and_a_marker(text):
    value = text * 400_000

    found = tools.result(value)
    kept = found.marked(artifact={"name": "results/1.json"})

    assert msgspec.json.decode(found.whole) == value
    assert kept.keys() == {"truncated", "size", "artifact", "beginning"}
    assert (kept["truncated"], kept["size"]) == (True, len(found.whole))
    assert kept["artifact"] == {"name": "results/1.json"}
    assert len(msgspec.json.encode(kept)) <= tools.MAX_RESULT
    assert len(kept["beginning"]) > 20_000


@pytest.mark.parametrize(
    ("source", "name", "is_question"),
    [("builtin", tools.QUESTION, True), ("python", tools.QUESTION, False), ("builtin", "x", False)],
)
def test_only_the_built_in_tool_asks_a_person(source: str, name: str, is_question: bool):
    assert replace(ANY, source=source, name=name).is_question is is_question
