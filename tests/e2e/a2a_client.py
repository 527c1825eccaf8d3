"""The official client of A2A, and a task as it puts it together."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.client.client import Client
from a2a.types import a2a_pb2 as types
from google.protobuf.json_format import ParseDict

from tests.serving import Running

BINDINGS = ["JSONRPC", "HTTP+JSON"]
COMPLETED = types.TaskState.TASK_STATE_COMPLETED
SLOW = {"script": [{"text": "{attempt}:", "chunks": 200, "pause_seconds": 0.01}]}


@contextlib.asynccontextmanager
async def client(
    running: Running, binding: str, *, agent: str = "assistant", streaming: bool = True
) -> AsyncIterator[Client]:
    """The official client, which finds the agent by its card."""
    headers = {"Authorization": f"Bearer {running.token}"}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as web:
        config = ClientConfig(
            streaming=streaming, httpx_client=web, supported_protocol_bindings=[binding]
        )
        yield await ClientFactory(config).create_from_url(f"{running.url}/a2a/{agent}")


def message(text: str, **given: Any) -> types.SendMessageRequest:
    """What somebody says to an agent; ``parameters`` are for the run."""
    parameters = given.pop("parameters", None)
    configuration = given.pop("configuration", {})
    said = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": [{"text": text}], **given}
    asked = {"message": said, "configuration": configuration}
    metadata = {"metadata": {"parameters": parameters}} if parameters else {}
    found: types.SendMessageRequest = ParseDict({**asked, **metadata}, types.SendMessageRequest())
    return found


async def sent(
    running: Running, binding: str, asked: types.SendMessageRequest, **more: Any
) -> types.Task:
    """The task of a message that is answered once."""
    async with client(running, binding, streaming=False, **more) as found:
        (only,) = [one.task async for one in found.send_message(asked)]
        return only


class Heard:
    """A task as a client puts it together from its stream."""

    def __init__(self) -> None:
        self.task = types.Task()
        self.artifacts: dict[str, str] = {}
        self.states: list[int] = []
        self.updates: list[types.StreamResponse] = []

    def take(self, event: types.StreamResponse) -> None:
        if not event.HasField("task"):
            self.updates.append(event)
        if event.HasField("task"):
            self.task = event.task
            self.states.append(event.task.status.state)
            self.artifacts = {one.artifact_id: text_of(one) for one in event.task.artifacts}
        elif event.HasField("status_update"):
            self.states.append(event.status_update.status.state)
        else:
            update = event.artifact_update
            name = update.artifact.artifact_id
            before = self.artifacts.get(name, "") if update.append else ""
            self.artifacts[name] = before + text_of(update.artifact)

    @property
    def text(self) -> str:
        return "".join(self.artifacts.values())


def text_of(artifact: types.Artifact) -> str:
    return "".join(part.text for part in artifact.parts)


async def begun(running: Running, binding: str) -> types.Task:
    """A task that takes its time."""
    asked = message("Count.", parameters=SLOW, configuration={"returnImmediately": True})
    return await sent(running, binding, asked)
