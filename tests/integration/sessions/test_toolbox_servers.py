"""Tools of servers of the Model Context Protocol, where the extra is installed."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from aegis_project import sealed
from aegis_project.database import run_db
from sessions.agent.tools import Tool
from sessions.core.errors import ToolExecutionFailed
from sessions.core.tool_calls import Risk
from sessions.models import ToolServer
from sessions.toolbox import servers
from sessions.toolbox.servers import Server
from tests.integration.sessions import toolbox_help, tools_help

pytestmark = pytest.mark.django_db(transaction=True)

SERVER = """
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("demo")


@server.tool(annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b


@server.tool()
def fails() -> str:
    "Fail."
    raise RuntimeError("no")


server.run()
"""


@pytest.fixture
async def known() -> AsyncIterator[None]:
    yield
    await servers.refresh([])


def test_servers_are_rows_and_their_secrets_are_sealed():
    secret = sealed.seal(orjson.dumps({"Authorization": "Bearer x"}).decode())
    ToolServer.objects.create(slug="far", url="https://tools.example/mcp", secret=secret)
    ToolServer.objects.create(slug="here", command=["program", "-v"])
    ToolServer.objects.create(slug="off", url="https://off.example/", is_active=False)

    assert servers.active() == [
        Server("far", "https://tools.example/mcp", (), {"Authorization": "Bearer x"}),
        Server("here", "", ("program", "-v"), {}),
    ]


async def test_a_server_that_cannot_be_asked_has_no_tools(
    known: None, caplog: pytest.LogCaptureFixture
):
    await servers.refresh([Server("gone", "", ("no-such-program-anywhere",), {})])

    assert list(servers.tools()) == []
    assert "cannot be asked" in caplog.text


async def test_its_tools_are_listed_called_and_never_trusted(known: None, tmp_path: Path):
    pytest.importorskip("mcp")
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    environment = {"PYTHONPATH": ":".join(sys.path)}

    await servers.refresh([Server("demo", "", (sys.executable, str(script)), environment)])

    found: dict[str, Tool] = {one.spec.name: one for one in servers.tools()}
    add, fails = found["mcp.demo.add"], found["mcp.demo.fails"]
    run, _ = await run_db(tools_help.working)
    assert (add.spec.risk, fails.spec.risk) == (Risk.MEDIUM, Risk.HIGH)
    assert not add.spec.is_idempotent
    assert await add.execute(toolbox_help.call(run, {"a": 2, "b": 3})) == {"result": 5}
    with pytest.raises(ToolExecutionFailed):
        await fails.execute(toolbox_help.call(run))
