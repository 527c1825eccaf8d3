"""One task of A2A, served by two processes."""

import asyncio

import pytest
from a2a.types import a2a_pb2 as types

from tests.e2e.a2a_client import BINDINGS, COMPLETED, Heard, begun, client
from tests.e2e.places import POSTGRES, Place
from tests.e2e.test_streams_processes import two
from tests.serving import Running

pytestmark = [pytest.mark.timeout(300), pytest.mark.servers]


async def followed(running: Running, binding: str, task: str) -> Heard:
    """A task, heard to its end at one server."""
    heard = Heard()
    async with client(running, binding) as found:
        async for event in found.subscribe(types.SubscribeToTaskRequest(id=task)):
            heard.take(event)
    return heard


@pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module")
async def test_two_processes_serve_one_task_by_both_bindings(anywhere: Place):
    with two(anywhere) as (first, second):
        task = await begun(first, BINDINGS[0])
        places = [(running, binding) for running in (first, second) for binding in BINDINGS]
        heard = await asyncio.gather(
            *(followed(running, binding, task.id) for running, binding in places)
        )
        done = []
        for running, binding in places:
            async with client(running, binding) as found:
                done.append(await found.get_task(types.GetTaskRequest(id=task.id)))

    whole = "".join(f"1:{number} " for number in range(1, 201))
    assert [(one.text, one.states[-1]) for one in heard] == [(whole, COMPLETED)] * 4
    assert done == [done[0]] * 4
