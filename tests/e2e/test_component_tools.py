"""A component offers a tool; an agent whose worker is in another process uses it."""

import asyncio
import contextlib
from typing import Any

import pytest

from components.sdk import Component
from tests.e2e import remote
from tests.e2e.places import POSTGRES, SQLITE, Place
from tests.e2e.remote import QUICK, assert_no_traceback, until
from tests.e2e.workers import working
from tests.serving import Running

pytestmark = pytest.mark.timeout(180)

AGENT = {
    "slug": "weigher",
    "name": "Weigher",
    "model": "scripted:echo",
    "tools": ["component.*"],
    "policy": "auto",
}


@contextlib.asynccontextmanager
async def scale(server: Running, token: str, used: list[Any]):
    """A component with two tools."""
    component = Component("scale", url=server.url, token=token, backoff=QUICK)

    @component.tool(risk="low", is_idempotent=True)
    async def weigh(what: str, times: int = 1) -> Any:
        """Weigh something."""
        used.append((what, times))
        return {"grams": 7 * times}

    @component.tool(risk="safe")
    def breaks() -> None:
        """Break."""
        raise RuntimeError("The spring is out.")

    async with component:
        assert await component.running()
        yield component
        await component.close()


async def begin(server: Running, session: str, calls: list[dict[str, Any]]) -> None:
    script = [{"text": "I look.", "tools": calls}, {"text": "So it is."}]
    answer = await remote.ask(
        server,
        "POST",
        f"/api/v1/sessions/{session}/runs",
        {"agent": "weigher", "parameters": {"script": script, "prompt": "Weigh."}},
    )
    assert answer.status in {200, 201, 202}, answer


async def settled(server: Running, session: str) -> list[Any]:
    """The tool calls of a session once none is open, in the order in which they were asked for."""

    async def found() -> Any:
        path = f"/api/v1/sessions/{session}/tool-calls?ordering=created_at"
        page = (await remote.ask(server, "GET", path)).body["data"]
        is_over = page and all(one["state"] in {"completed", "failed"} for one in page)
        return page if is_over else None

    return list(await until(found, seconds=60))


async def use(server: Running) -> None:
    answer = await remote.ask(server, "POST", "/api/v1/agents", AGENT)
    assert answer.status == 201, answer
    made = await remote.make(server, agent="weigher", kind="stream")
    session, token = made["id"], made["session_token"]
    used: list[Any] = []
    await remote.order(server, session, "start")
    async with scale(server, token, used):
        await begin(
            server,
            session,
            [
                {"tool": "component.scale.weigh", "arguments": {"what": "tea", "times": 2}},
                {"tool": "component.scale.breaks"},
                {"tool": "component.scale.weigh", "arguments": {"times": 1}},
            ],
        )
        done, broke, wrong = await settled(server, session)

    assert (done["state"], done["result"], done["source"]) == (
        "completed",
        {"grams": 14},
        "component",
    )
    assert (broke["error"]["code"], broke["error"]["message"]) == (
        "TOOL_EXECUTION_FAILED",
        "The spring is out.",
    )
    assert wrong["error"]["code"] == "INVALID_TOOL_ARGS"
    assert used == [("tea", 2)]


def test_a_tool_of_a_component_is_used_by_an_agent(home: Place):
    with home.serve() as server:
        asyncio.run(use(server))
        assert_no_traceback(server)


@pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module")
def test_its_socket_may_be_at_another_process_than_the_worker(anywhere: Place):
    with anywhere.serve("--no-worker") as server, working(server, "one"):
        asyncio.run(use(server))
        assert_no_traceback(server)
