"""What is known of a topic is the same at every server process, whichever is asked."""

import asyncio
from typing import Any

import pytest

from tests.e2e import remote
from tests.e2e.remote import Member, publish
from tests.e2e.test_many_processes import PRICES, crowd

pytestmark = [pytest.mark.timeout(240), pytest.mark.servers]


@pytest.fixture(scope="module")
def servers():
    with crowd() as found:
        yield found.servers


async def figures(server, session):
    """What a process tells of the topic, if it lists it."""
    answer = await remote.ask(server, "GET", f"/api/v1/sessions/{session}/topics")
    found = {one["name"]: one["live"] for one in answer.body["data"]}
    return found.get(PRICES) or {}


async def test_every_process_tells_of_all_publishers_and_subscribers(servers):
    first, second, third = servers
    made = await remote.make(first)
    token, session = made["session_token"], made["id"]
    await remote.order(first, session, "start")
    async with (
        Member(first.url, token, "one", [PRICES]) as one,
        Member(second.url, token, "two", [PRICES]) as two,
    ):
        await asyncio.gather(one.runs(), two.runs())
        for turn in range(10):
            await publish(servers[turn % 2], session, PRICES, *range(10))
        told: list[dict[str, Any]] = []

        async def agree():
            told[:] = [await figures(server, session) for server in (first, second, third)]
            return all(
                (live.get("subscribers"), live.get("records"), live.get("lag")) == (2, 100, 0)
                for live in told
            )

        async with asyncio.timeout(30):
            while not await agree():  # noqa: ASYNC110 -- it asks servers
                await asyncio.sleep(0.1)

        answer = await remote.ask(
            third, "GET", f"/api/v1/sessions/{session}/topics/{PRICES}/subscribers"
        )
        assert {found["component_id"] for found in answer.body["data"]} == {
            one.component.component_id,
            two.component.component_id,
        }
