"""Tools of servers of the Model Context Protocol, where the extra is installed."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings as django_settings

from aegis_project import sealed
from aegis_project.database import run_db
from sessions.agent.tools import Tool
from sessions.core.errors import ToolExecutionFailed
from sessions.core.tool_calls import Risk
from sessions.models import ToolServer
from sessions.toolbox import servers
from sessions.toolbox.servers import Server
from tests.calling import caller
from tests.integration.sessions import toolbox_help, tools_help

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def near(settings: Any) -> None:
    """The servers listen on this machine, which an administrator allowed."""
    opened = {"outward_networks": "127.0.0.1"}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=opened)


TOOLS = """
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

"""
OVER_STDIO = f"{TOOLS}\nserver.run()\n"
OVER_HTTP = f"""{TOOLS}
import socket
import uvicorn

inside = server.streamable_http_app()
refusal = {{"type": "http.response.start", "status": 401, "headers": []}}


async def guarded(scope, receive, send):
    said = dict(scope.get("headers", ())).get(b"authorization", b"")
    if scope["type"] == "http" and said != b"Bearer s3":
        await send(refusal)
        await send({{"type": "http.response.body", "body": b""}})
    else:
        await inside(scope, receive, send)


here = socket.create_server(("127.0.0.1", 0))
print(here.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(guarded, log_level="error")).run(sockets=[here])
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a real server listens that wants a header."""
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    script = tmp_path / "server.py"
    script.write_text(OVER_HTTP)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        yield f"http://127.0.0.1:{one.stdout.readline().strip()}/mcp"
        one.terminate()


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
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    script = tmp_path / "server.py"
    script.write_text(OVER_STDIO)
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


async def test_a_server_over_http_is_asked_with_the_headers_of_its_secret(
    known: None, address: str
):
    program = await run_db(caller)
    order = {"slug": "far", "url": address, "secret": {"Authorization": "Bearer s3"}}
    made = await run_db(program.post, "/api/v1/tool-servers", order)

    await servers.refresh(await run_db(servers.active))

    found = {one.spec.name: one for one in servers.tools()}
    run, _ = await run_db(tools_help.working)
    assert made.status_code == 201
    assert sorted(found) == ["mcp.far.add", "mcp.far.fails"]
    answer = await found["mcp.far.add"].execute(toolbox_help.call(run, {"a": 2, "b": 3}))
    assert answer == {"result": 5}
    with pytest.raises(ToolExecutionFailed):
        await found["mcp.far.fails"].execute(toolbox_help.call(run))


async def test_a_server_over_http_that_refuses_has_no_tools(
    known: None, address: str, caplog: pytest.LogCaptureFixture
):
    await servers.refresh([Server("far", address, (), {"Authorization": "Bearer other"})])

    assert list(servers.tools()) == []
    assert "cannot be asked" in caplog.text
    assert "Bearer other" not in caplog.text
