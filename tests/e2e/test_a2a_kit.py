"""The agent that a compatibility kit of A2A can be pointed at: what its messages' ids ask for."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from a2a.types import a2a_pb2 as types
from google.protobuf.json_format import MessageToDict

from tests.e2e import remote
from tests.e2e.a2a_client import BINDINGS, COMPLETED, Heard, client, message
from tests.serving import Running, start_server

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers, pytest.mark.dialects]

AGENT = "compatibility"
TEXT = {"mediaType": "text/plain"}
FILE = {"raw": "dGNr", "filename": "output.txt", "mediaType": "text/plain"}
MADE: dict[str, list[dict[str, Any]]] = {
    "tck-complete-task": [{"text": "Hello from TCK", **TEXT}],
    "tck-artifact-text": [{"text": "Generated text content", **TEXT}],
    "tck-artifact-file": [FILE],
    "tck-artifact-file-url": [
        {"url": "https://example.com/output.txt", "filename": "output.txt"},
    ],
    "tck-artifact-data": [{"data": {"key": "value", "count": 42}, "mediaType": "application/json"}],
    "tck-stream-artifact-chunked": [{"text": "chunk-1 chunk-2", **TEXT}],
    "anything-else": [{"text": "Hello from TCK", **TEXT}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with start_server(AEGIS_A2A_COMPATIBILITY="1") as running:
        yield running


def said(prefix: str, **given: Any) -> types.SendMessageRequest:
    return message("Go.", messageId=f"{prefix}-{uuid4()}", **given)


async def heard(server: Running, binding: str, prefix: str, *, streaming: bool) -> Any:
    """All events that a message is answered by."""
    async with client(server, binding, agent=AGENT, streaming=streaming) as found:
        return [event async for event in found.send_message(said(prefix))]


def parts(artifacts: Any) -> list[dict[str, Any]]:
    return [MessageToDict(part) for one in artifacts for part in one.parts]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_task_makes_what_the_id_says(server: Running, binding: str):
    found = {}

    for prefix in MADE:
        (event,) = await heard(server, binding, prefix, streaming=False)
        assert event.task.status.state == COMPLETED
        found[prefix] = parts(event.task.artifacts)

    assert found == MADE


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_message_is_answered_by_a_message_alone(server: Running, binding: str):
    found = []

    for streaming in (False, True):
        events = await heard(server, binding, "tck-message-response", streaming=streaming)
        found.append([event.WhichOneof("payload") for event in events])
        assert parts([events[0].message]) == [{"text": "Direct message response", **TEXT}]

    assert found == [["message"], ["message"]]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_task_is_rejected_and_listed_so(server: Running, binding: str):
    (event,) = await heard(server, binding, "tck-reject-task", streaming=False)

    rejected = types.TaskState.TASK_STATE_REJECTED
    async with client(server, binding, agent=AGENT) as found:
        listed = await found.list_tasks(types.ListTasksRequest(status=rejected))
        failed = await found.list_tasks(
            types.ListTasksRequest(status=types.TaskState.TASK_STATE_FAILED)
        )
    assert event.task.status.state == rejected
    assert event.task.id in [one.id for one in listed.tasks]
    assert {one.status.state for one in listed.tasks} == {rejected}
    assert list(failed.tasks) == []


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_task_asks_its_client_and_goes_on(server: Running, binding: str):
    (asked,) = await heard(server, binding, "tck-input-required", streaming=False)
    answer = said("more", taskId=asked.task.id)

    async with client(server, binding, agent=AGENT, streaming=False) as found:
        (done,) = [event async for event in found.send_message(answer)]

    history = [one.message_id for one in done.task.history]
    assert asked.task.status.state == types.TaskState.TASK_STATE_INPUT_REQUIRED
    assert (done.task.id, done.task.status.state) == (asked.task.id, COMPLETED)
    assert history == [
        asked.task.history[0].message_id,
        asked.task.status.message.message_id,
        answer.message.message_id,
    ]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_stream_begins_with_the_task_and_ends_with_its_state(server: Running, binding: str):
    events = await heard(server, binding, "tck-stream-artifact-chunked", streaming=True)

    whole = Heard()
    for event in events:
        whole.take(event)
    kinds = [event.WhichOneof("payload") for event in events]
    assert (kinds[0], kinds[-1]) == ("task", "status_update")
    assert (whole.states[-1], whole.text) == (COMPLETED, "chunk-1 chunk-2")


async def test_without_the_setting_there_is_no_such_agent():
    with start_server() as running:
        answer = await remote.ask(running, "GET", f"/a2a/{AGENT}/.well-known/agent-card.json")

    assert answer.status == 404
