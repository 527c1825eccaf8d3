"""A2A over real servers, by the official client on both bindings and by curl."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from a2a.types import a2a_pb2 as types
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError
from google.protobuf.json_format import ParseDict

from sessions.core.webhooks import secret_of, signature
from tests.e2e import places, remote
from tests.e2e.a2a_client import (
    BINDINGS,
    COMPLETED,
    SLOW,
    Heard,
    begun,
    client,
    message,
    sent,
    text_of,
)
from tests.outside import outside
from tests.serving import Running, start_server

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

WAITS = types.TaskState.TASK_STATE_INPUT_REQUIRED


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param) as running:
        yield running


async def test_a_message_is_answered_in_its_context(server: Running):
    answers = []

    for binding in BINDINGS:
        first = await sent(server, binding, message("My name is Alice."))
        second = await sent(
            server, binding, message("What is my name?", contextId=first.context_id)
        )
        answers.append((second.status.state, [text_of(one) for one in second.artifacts]))

    assert answers == [(COMPLETED, ["Your name is Alice."])] * 2


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_message_is_answered_by_a_stream(server: Running, binding: str):
    heard = Heard()

    async with client(server, binding) as found:
        async for event in found.send_message(message("My name is Alice.")):
            heard.take(event)
        task = await found.get_task(types.GetTaskRequest(id=heard.task.id))

    assert heard.states[-1] == COMPLETED
    assert heard.text == "".join(map(text_of, task.artifacts)) != ""


@pytest.mark.parametrize("binding", BINDINGS)
async def test_parallel_streams_hear_the_same_and_one_that_ends_hurts_none(
    server: Running, binding: str
):
    task = await begun(server, binding)

    async def follow(most: int) -> list[str]:
        async with client(server, binding) as found:
            texts: list[str] = []
            heard: Any = found.subscribe(types.SubscribeToTaskRequest(id=task.id))
            async with contextlib.aclosing(heard) as events:
                async for event in events:
                    texts.append(text_of(event.artifact_update.artifact))
                    if len(texts) == most:
                        break
            return texts

    short, first, second = await asyncio.gather(follow(5), follow(10_000), follow(10_000))

    assert len(short) == 5
    tail = min(len(first), len(second)) - 1
    assert first[-tail:] == second[-tail:]
    async with client(server, binding) as found:
        done = await found.get_task(types.GetTaskRequest(id=task.id))
    assert done.status.state == COMPLETED


@pytest.mark.parametrize(
    ("kind", "binding"),
    [("sqlite daphne", "JSONRPC"), ("postgresql uvicorn", "HTTP+JSON")],
)
async def test_a_stream_goes_on_when_its_server_was_killed(kind: str, binding: str):
    with places.place(kind) as place:
        with place.serve() as first:
            heard = Heard()
            async with client(first, binding) as found:
                with contextlib.suppress(Exception):
                    async for event in found.send_message(message("Count.", parameters=SLOW)):
                        heard.take(event)
                        if len(heard.text) > 50 and first.process.poll() is None:
                            first.kill()
        again = Heard()
        with place.serve() as second:
            async with client(second, binding) as found:
                asked = types.SubscribeToTaskRequest(id=heard.task.id)
                async for event in found.subscribe(asked):
                    again.take(event)
                task = await found.get_task(types.GetTaskRequest(id=heard.task.id))

    whole = "".join(f"2:{number} " for number in range(1, 201))
    assert heard.text.startswith("1:1 1:2 ")
    assert again.states[-1] == COMPLETED
    assert again.text == whole
    assert [text_of(one) for one in task.artifacts] == [whole]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_task_is_cancelled(server: Running, binding: str):
    task = await begun(server, binding)

    async with client(server, binding) as found:
        cancelled = await found.cancel_task(types.CancelTaskRequest(id=task.id))
        with pytest.raises(TaskNotCancelableError):
            await found.cancel_task(types.CancelTaskRequest(id=task.id))
        with pytest.raises(UnsupportedOperationError):
            [one async for one in found.subscribe(types.SubscribeToTaskRequest(id=task.id))]
        with pytest.raises(TaskNotFoundError):
            await found.get_task(types.GetTaskRequest(id=str(uuid4())))
        listed = await found.list_tasks(types.ListTasksRequest(context_id=task.context_id))

    assert cancelled.status.state == types.TaskState.TASK_STATE_CANCELED
    assert [one.id for one in listed.tasks] == [task.id]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_task_requires_input_and_goes_on_with_it(server: Running, binding: str):
    name = f"clerk-{binding[:4].lower()}-{uuid4().hex[:6]}"
    agent = {"slug": name, "name": "Clerk", "model": "scripted:assistant", "tools": ["*"]}
    made = await remote.ask(server, "POST", "/api/v1/agents", agent)
    assert made.status == 201, made
    ask, stream = message('use post_note {"text": "x"}'), Heard()

    async with client(server, binding, agent=name) as found:
        async for event in found.send_message(ask):
            stream.take(event)
        asked = await found.get_task(types.GetTaskRequest(id=stream.task.id))
        answer = message("approve", taskId=stream.task.id)
        done = Heard()
        async for event in found.send_message(answer):
            done.take(event)
        task = await found.get_task(types.GetTaskRequest(id=stream.task.id))

    assert stream.states[-1] == asked.status.state == WAITS
    assert done.states[-1] == task.status.state == COMPLETED
    ids = [one.message_id for one in task.history]
    waited = asked.status.message.message_id
    assert ids == [ask.message.message_id, waited, answer.message.message_id]


@pytest.mark.parametrize("binding", BINDINGS)
async def test_an_address_is_told_of_a_task(binding: str):
    with outside() as place, start_server(AEGIS_OUTWARD_NETWORKS="127.0.0.0/8") as running:
        config = {"url": place.url("/told"), "token": "shown"}
        asked = message("Hello.", configuration={"taskPushNotificationConfig": config})
        task = await sent(running, binding, asked)
        await remote.until(lambda: len(place.visits) == 2, seconds=60)

    first, last = (ParseDict(one.document, types.StreamResponse()) for one in place.visits)
    assert first.status_update.status.state == types.TaskState.TASK_STATE_WORKING
    assert last.task == task
    for visit in place.visits:
        headers = visit.headers
        signed = signature(
            secret_of(b"shown"),
            id_=headers["webhook-id"],
            timestamp=int(headers["webhook-timestamp"]),
            body=visit.body,
        )
        assert headers["webhook-signature"] == signed
        assert headers["x-a2a-notification-token"] == "shown"


@pytest.mark.parametrize("path", ["/message:send", ""])
def test_curl_is_enough(server: Running, path: str):
    said = {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "My name is Bob."}]}
    body: dict[str, Any] = {"message": said}
    if not path:
        body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": body}
    command = ["curl", "-sS", "--noproxy", "*", f"{server.url}/a2a/assistant{path}"]
    headers = [
        f"Authorization: Bearer {server.token}",
        "Content-Type: application/json",
        "A2A-Version: 1.0",
    ]
    given = [word for header in headers for word in ("-H", header)]

    out = subprocess.run(
        [*command, *given, "-d", json.dumps(body)], capture_output=True, text=True, check=True
    )

    found = json.loads(out.stdout)
    task = (found if path else found["result"])["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
