"""Nothing that a client says on any socket makes the server fail; TESTS_FRAMES is how much is said."""

import asyncio
import json
import logging
import os
import random
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from django.conf import settings as conf
from django.contrib.auth.models import User
from django.test import Client

from aegis_project.database import run_db
from components.auth import Registrar
from components.consumers import ControlConsumer
from components.jobs import Links
from sessions.consumers import LiveConsumer
from sessions.dialects import daemon
from sessions.dialects.bus.socket import BusConsumer
from sessions.dialects.daemon_socket import DaemonConsumer
from sessions.dialects.session_socket import SessionConsumer
from sessions.dialects.task_socket import TaskConsumer
from sessions.services import creation
from streaming import node as nodes
from streaming.consumers import DataConsumer
from streaming.core.errors import CloseCode
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub
from streaming.node import Node
from tests import factories
from tests.calling import caller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

SOCKETS: dict[str, Callable[[], Any]] = {
    "/ws/control": ControlConsumer,
    "/ws/data": partial(DataConsumer, registrar=Registrar()),
    "/ws/live": LiveConsumer,
    "/ws/sessions/k": SessionConsumer,
    "/aegis/commands": DaemonConsumer,
    "/bus/events": BusConsumer,
    "/agents/assistant/stream": TaskConsumer,
}
FRAMES = int(os.environ.get("TESTS_FRAMES", "1400"))
SEED = int(os.environ.get("TESTS_SEED", "20261121"))
SECONDS = 20.0
# What a socket says before it is taken for stuck, or its client for gone.
IN_A_ROW = 40

WORDS = ["REGISTER", "READY", "HEARTBEAT", "REFRESH", "ERROR", "SUBSCRIBE", "PUBLISH", "COMMIT"]
WORDS += ["authenticate", "message", "approval", "cancel", "heartbeat", "session", "ledger", "tail"]
WORDS += ["sessions", "components", "monitor", "topic", "topics", "waiting", "untail", "k", ""]
WORDS += ["create", "get", "list", "activate", "end", "directory", "router", "assistant", "attach"]
WORDS += [*daemon.VERBS, "text/plain", "00000000-0000-0000-0000-000000000000", "é\u0000", "x" * 300]
KEYS = [
    "COMMAND",
    "command",
    "type",
    "payload",
    "data",
    "session_token",
    "token",
    "id",
    "ids",
    "ref",
]
KEYS += ["topics", "topic", "msgs", "pos", "cursor", "from", "policy", "name", "role", "proto"]
KEYS += ["session_id", "sessionId", "component_id", "daemon", "input", "content", "taskId", "after"]
KEYS += [
    "context",
    "tab",
    "show",
    "slot",
    "mode",
    "view",
    "approval_id",
    "approved",
    "q",
    "session",
]
ODD = ["", "{", "[]", "null", "1e999", "NaN", '{"a":1,"a":2}', '"\\ud800"', "[" * 70 + "]" * 70]
NUMBERS: list[Any] = [0, 1, -1, 2**53, 2**64, 10**30, 0.5, -1e308]


class Source:
    """Frames, the same for the same seed."""

    def __init__(self, seed: int, token: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 -- nothing is kept secret by it
        self.words = [*WORDS, token]

    def value(self, depth: int = 0) -> Any:
        kind = self.random.random()
        if depth < 3 and kind < 0.25:
            return self.object(depth + 1)
        if depth < 3 and kind < 0.35:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if kind < 0.8:
            return self.random.choice(self.words)
        return self.random.choice([None, True, False, *NUMBERS])

    def object(self, depth: int = 0) -> dict[str, Any]:
        keys = self.random.sample(KEYS, self.random.randrange(1, 7))
        return {key: self.value(depth) for key in keys}

    def frame(self) -> dict[str, Any]:
        """An event of ASGI: mostly an object, else something broken, bytes among it."""
        kind = self.random.random()
        if kind < 0.08:
            return {"type": "websocket.receive", "text": self.random.choice(ODD)}
        text = json.dumps(self.object())
        if kind < 0.16:
            cut = self.random.randrange(len(text))
            text = text[:cut] + self.random.choice(['"', "\u0000", "{", "é"]) + text[cut + 1 :]
        if kind < 0.22:
            return {"type": "websocket.receive", "bytes": text.encode()[::-1]}
        return {"type": "websocket.receive", "text": text}


@pytest.fixture(autouse=True)
async def node(settings: Any) -> AsyncIterator[Node]:
    settings.ENVIRONMENT = conf.ENVIRONMENT.model_copy(
        update={"control_frames_per_second": 0, "data_frames_per_second": 0}
    )
    running = Node(hub=Hub(engines=[RowEngine(), MemoryEngine()]), jobs=[Links()])
    await running.start()
    nodes.install(running)
    yield running
    nodes.install(None)
    await running.stop()


def known() -> tuple[str, str, str]:
    """A credential, a session token, and the cookie of somebody who may everything."""
    made = factories.session(key="k")
    token = creation.issue_token(principal=factories.OPERATOR, session=made.pk).secret
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    bearer = caller().headers["Authorization"]
    return bearer, token, f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.parametrize("path", SOCKETS)
async def test_whatever_is_said_no_socket_fails(path: str, caplog: pytest.LogCaptureFixture):
    bearer, token, cookie = await run_db(known)
    headers = {"host": "desk:8000", "authorization": bearer}
    if path == "/ws/live":
        headers = {"host": "desk:8000", "origin": "http://desk:8000", "cookie": cookie}
    source, said, codes = Source(SEED, token), 0, set[int]()

    with caplog.at_level(logging.WARNING):
        while said < FRAMES // len(SOCKETS):
            count, code = await spoken(path, headers, source)
            said += count
            codes.add(code)

    failed = [one.getMessage() for one in caplog.records if one.exc_info]
    assert failed == []
    assert not codes & {1011, CloseCode.INTERNAL, CloseCode.STORE_DOWN}, codes


async def spoken(path: str, headers: dict[str, str], source: Source) -> tuple[int, int]:
    """Connect and talk until the server closes or enough was said; how much, and how it closed."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await incoming.put({"type": "websocket.connect"})
    count = source.random.randrange(1, IN_A_ROW)
    for _ in range(count):
        await incoming.put(source.frame())
    await incoming.put({"type": "websocket.disconnect", "code": 1001})
    scope = {
        "type": "websocket",
        "path": path,
        "scheme": "ws",
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "url_route": {"kwargs": {"session": "k", "agent": "assistant"}},
    }
    async with asyncio.timeout(SECONDS):
        await SOCKETS[path]()(scope, incoming.get, outgoing.put)
    closed = [one["code"] for one in _all(outgoing) if one["type"] == "websocket.close"]
    return count - max(0, incoming.qsize() - 1), closed[0] if closed else 1000


def _all(queue: asyncio.Queue[dict[str, Any]]) -> list[dict[str, Any]]:
    return [queue.get_nowait() for _ in range(queue.qsize())]
