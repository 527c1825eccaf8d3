"""The examples of docs/tools.md do what the page says."""

import re
import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sessions.agent.tools import Call
from sessions.toolbox import Definition, catalogue, plugins

DOCUMENT = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```\w+ ([\w-]+)\n(.*?)```", DOCUMENT, re.DOTALL))


def run(name: str) -> dict[str, Any]:
    """The names that an example defines."""
    found: dict[str, Any] = {"__name__": "example"}
    exec(compile(BLOCKS[name], name, "exec"), found)  # noqa: S102 -- it is our own page
    return found


async def test_a_function_of_a_package_is_a_tool():
    found = run("package")["place_order"]

    assert isinstance(found, Definition)
    assert (found.spec.risk, found.spec.evidence) == ("medium", ("prices.{symbol}",))
    call = Call(
        session_id=str(uuid4()),
        run_id=str(uuid4()),
        tool_call_id=str(uuid4()),
        principal="agent:a",
        arguments={"symbol": "BTC", "count": 2},
        effect_key="key",
    )
    assert await found.tool().execute(call) == {"order": "key", "symbol": "BTC", "count": 2}


def test_a_package_names_its_tools_by_an_entry_point():
    project = tomllib.loads(BLOCKS["entry-point"])["project"]

    assert list(project["entry-points"]) == [plugins.GROUP]


async def test_a_component_offers_its_tool(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AEGIS_SESSION_TOKEN", "t")

    found = run("component")

    (offer,) = found["scale"]._tools.offers()
    assert (offer["name"], offer["description"], offer["risk"]) == (
        "weigh",
        "Weigh something.",
        "low",
    )
    assert offer["parameters"]["required"] == ["what"]
    assert await found["weigh"]("tea", 2) == {"what": "tea", "grams": 14}


def test_every_tool_that_is_built_in_is_on_the_page():
    missing = [one.name for one in catalogue() if f"`{one.name}`" not in DOCUMENT]

    assert missing == []
