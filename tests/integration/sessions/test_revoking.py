"""TK3: whoever opened a socket of a dialect with a secret that is revoked is sent away."""

from types import ModuleType
from typing import Any

import pytest

from aegis_project.database import run_db
from components.models import Credential
from components.services import credentials
from sessions.dialects import task_socket, wire
from sessions.dialects.bus.socket import BusConsumer
from sessions.dialects.daemon_socket import DaemonConsumer
from sessions.dialects.task_socket import TaskConsumer
from streaming.core.errors import CloseCode
from tests.calling import SYSTEM, caller
from tests.integration.sessions.test_room import Held

pytestmark = pytest.mark.django_db(transaction=True)


def revoke() -> None:
    credentials.revoke(principal=SYSTEM, credential=Credential.objects.get().pk)


@pytest.mark.parametrize(
    ("consumer", "module"),
    [(DaemonConsumer, wire), (BusConsumer, wire), (TaskConsumer, task_socket)],
    ids=["000", "003", "002"],
)
async def test_tk3_a_socket_whose_secret_is_revoked_is_closed(
    monkeypatch: pytest.MonkeyPatch, consumer: Any, module: ModuleType
):
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)
    secret = (await run_db(caller)).headers["Authorization"]
    headers = [(b"host", b"desk"), (b"authorization", secret.encode())]
    socket = Held(consumer(), headers=headers, url_route={"kwargs": {"agent": "assistant"}})
    accepted = await socket.next()

    await run_db(revoke)
    told = await socket.next()
    await socket.leave()

    assert accepted == {"type": "websocket.accept"}
    assert (told["type"], told["code"]) == ("websocket.close", CloseCode.BAD_TOKEN)
