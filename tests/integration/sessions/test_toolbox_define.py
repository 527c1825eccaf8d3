"""Tools made of functions, by this package and by others."""

import asyncio
import logging
import threading
from importlib.metadata import EntryPoint
from typing import Annotated, Any, Literal
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field

from sessions.agent.tools import Call, ToolSpec
from sessions.core.errors import InvalidToolArgs
from sessions.core.tool_calls import Risk
from sessions.toolbox import plugins, tool
from sessions.toolbox.define import Definition


class Line(BaseModel):
    """One line of an order."""

    what: str
    count: Annotated[int, Field(ge=1)] = 1


@tool(risk="medium", version="2", timeout_seconds=5, is_idempotent=True, evidence=["stock.{shop}"])
async def order(call: Call, shop: str, lines: list[Line], kind: Literal["a", "b"] = "a") -> Any:
    """
    Order things.

    They come tomorrow.
    """
    return [call.effect_key, shop, [(line.what, line.count) for line in lines], kind]


@tool(risk=Risk.SAFE, name="add_up", always_ask=True)
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return f"{a + b} in {threading.current_thread().name}"


def call(**arguments: Any) -> Call:
    return Call(
        session_id=str(uuid4()),
        run_id=str(uuid4()),
        tool_call_id=str(uuid4()),
        principal="agent:a",
        arguments=arguments,
        effect_key="key",
    )


def test_a_function_says_what_its_tool_is():
    line = {
        "type": "object",
        "description": "One line of an order.",
        "properties": {
            "what": {"type": "string"},
            "count": {"type": "integer", "minimum": 1, "default": 1},
        },
        "required": ["what"],
    }
    assert order.spec == ToolSpec(
        name="order",
        description="Order things.\n\nThey come tomorrow.",
        parameters={
            "type": "object",
            "$defs": {"Line": line},
            "additionalProperties": False,
            "properties": {
                "shop": {"type": "string"},
                "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
                "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
            },
            "required": ["shop", "lines"],
        },
        risk=Risk.MEDIUM,
        version="2",
        timeout_seconds=5,
        is_idempotent=True,
        source="python",
        evidence=("stock.{shop}",),
    )
    assert (add.spec.name, add.spec.always_ask, add.spec.risk) == ("add_up", True, Risk.SAFE)


def test_a_tool_is_dangerous_until_it_is_said_that_it_is_not():
    @tool()
    def anything() -> None:
        """Do anything."""

    assert anything.spec.risk is Risk.HIGH
    assert not anything.spec.is_idempotent


async def test_arguments_come_as_the_types_of_the_function():
    asked = call(shop="s", lines=[{"what": "tea"}, {"what": "milk", "count": 2}])

    found = await order.tool().execute(asked)

    assert found == ["key", "s", [("tea", 1), ("milk", 2)], "a"]


async def test_a_function_that_is_not_async_runs_in_a_thread():
    loop_thread = threading.current_thread().name

    found = await add.tool().execute(call(a=1, b=2))

    assert found.startswith("3 in ")
    assert not found.endswith(loop_thread)


@pytest.mark.parametrize("arguments", [{"a": 1}, {"a": 1, "b": "x"}, {"a": 1, "b": 2, "c": 3}])
async def test_arguments_of_other_types_are_refused(arguments: dict[str, Any]):
    with pytest.raises(InvalidToolArgs, match="add_up"):
        await add.tool().execute(call(**arguments))


def test_a_member_may_be_called_title():
    @tool()
    def write(title: str) -> None:
        """Write it."""

    assert write.spec.parameters["properties"] == {"title": {"type": "string"}}


def test_what_cannot_be_a_tool_says_why():
    def untyped(a) -> None:
        """Take something."""

    def many(*a: int) -> None:
        """Take many."""

    def silent(a: int) -> None:
        pass

    def odd(a: asyncio.Event) -> None:
        """Take what no JSON has."""

    for function in (untyped, many, silent):
        with pytest.raises(TypeError, match=function.__name__):
            tool()(function)
    with pytest.raises(Exception, match="Event"):
        tool()(odd)


HERE = "tests.integration.sessions.test_toolbox_define"
SEVERAL = [order, add, "no tool"]


def point(value: str) -> EntryPoint:
    return EntryPoint(name="mine", value=value, group=plugins.GROUP)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (f"{HERE}:order", ["order"]),
        (f"{HERE}:SEVERAL", ["order", "add_up"]),
        (HERE, ["order", "add_up"]),
    ],
)
def test_an_entry_point_leads_to_a_tool_or_to_several(value: str, names: list[str]):
    assert [one.spec.name for one in plugins.load([point(value)])] == names


def test_a_package_that_cannot_be_loaded_leaves_the_others(caplog: pytest.LogCaptureFixture):
    points = [point("nothing.there:x"), point(f"{HERE}:HERE"), point(f"{HERE}:add")]

    with caplog.at_level(logging.WARNING):
        found = list(plugins.load(points))

    assert [one.spec.name for one in found] == ["add_up"]
    assert [record.getMessage() for record in caplog.records] == [
        "Tools cannot be loaded",
        "An entry point leads to no tool",
    ]


def test_what_is_installed_here_is_found():
    assert all(isinstance(one, Definition) for one in plugins.definitions())
