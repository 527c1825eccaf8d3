"""Two servers that share a database: one task of A2A, and who is sent away, are the same at both."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from contextlib import closing

import httpx2
import psycopg
import pytest
from a2a.types import a2a_pb2 as types
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from streaming.core.errors import CloseCode
from tests.e2e.a2a_client import BINDINGS, COMPLETED, Heard, begun, client
from tests.e2e.places import POSTGRES, Place
from tests.e2e.test_streams_processes import two
from tests.serving import Running

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.servers,
    pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module"),
]

SECONDS = 20


@pytest.fixture(scope="module")
def servers(anywhere: Place) -> Iterator[tuple[Running, Running]]:
    with two(anywhere) as found:
        yield found


async def followed(running: Running, binding: str, task: str) -> Heard:
    """A task, heard to its end at one server."""
    heard = Heard()
    async with client(running, binding) as found:
        async for event in found.subscribe(types.SubscribeToTaskRequest(id=task)):
            heard.take(event)
    return heard


async def test_two_servers_serve_one_task_by_both_bindings(servers: tuple[Running, Running]):
    first, second = servers
    task = await begun(first, BINDINGS[0])
    places = [(running, binding) for running in (first, second) for binding in BINDINGS]
    heard = await asyncio.gather(
        *(followed(running, binding, task.id) for running, binding in places)
    )
    done = []
    for running, binding in places:
        async with client(running, binding) as found:
            done.append(await found.get_task(types.GetTaskRequest(id=task.id)))

    # Who came late heard less, and the same in the same order.
    shared = min(len(one.updates) for one in heard)
    assert shared > 1
    assert all(one.updates[-shared:] == heard[0].updates[-shared:] for one in heard)
    whole = "".join(f"1:{number} " for number in range(1, 201))
    assert [(one.text, one.states[-1]) for one in heard] == [(whole, COMPLETED)] * 4
    assert done == [done[0]] * 4


def browser(server: Running) -> httpx2.Client:
    """A browser that is signed in at a server."""
    found = httpx2.Client(base_url=server.url, timeout=30, trust_env=False)
    found.get("/admin/login/")
    form = {"username": server.user, "password": server.password}
    answer = found.post("/admin/login/", data={**form, **forgery(found)})
    assert answer.status_code == 302
    return found


def forgery(found: httpx2.Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": found.cookies["csrftoken"]}


def page(server: Running, found: httpx2.Client) -> Connection:
    """The socket of a page that another server has signed in."""
    headers = {"Cookie": f"sessionid={found.cookies['sessionid']}", "Origin": server.url}
    return connect(f"{server.ws_url}/ws/live", additional_headers=headers, proxy=None)


def program(server: Running, secret: str) -> Connection:
    """A program that says in its first frame who it is."""
    socket = connect(f"{server.ws_url}/ws/sessions/k", proxy=None)
    socket.send(json.dumps({"type": "authenticate", "token": secret}))
    assert json.loads(socket.recv(timeout=SECONDS))["type"] == "connected"
    return socket


def end(socket: Connection) -> int:
    """The code with which a socket is closed."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=SECONDS)
    assert socket.close_code is not None
    return socket.close_code


def test_who_is_let_go_at_one_server_is_sent_away_by_the_other(
    anywhere: Place, servers: tuple[Running, Running]
):
    first, second = servers
    with contextlib.ExitStack() as stack:
        headers = {"Authorization": f"Bearer {first.token}"}
        web = httpx2.Client(base_url=first.url, headers=headers, timeout=30, trust_env=False)
        leaver, other = (stack.enter_context(closing(browser(first))) for _ in range(2))
        stack.enter_context(web).post("/api/v1/sessions", json={"key": "k"})
        order = {"name": "desk", "scopes": ["events:read", "sessions:read"]}
        made = web.post("/api/v1/credentials", json=order).json()
        revoked, gone, stays = (
            stack.enter_context(one)
            for one in (program(second, made["secret"]), page(second, leaver), page(second, other))
        )

        web.delete(f"/api/v1/credentials/{made['credential']['id']}")
        leaver.post("/admin/logout/", data=forgery(leaver))
        ends = [end(revoked), end(gone)]
        beat = json.loads(stays.recv(timeout=SECONDS))["type"]
        with psycopg.connect(anywhere.settings["AEGIS_DATABASE_URL"], autocommit=True) as rows:
            rows.execute("UPDATE auth_user SET is_active = false WHERE username = 'admin'")
        ends.append(end(stays))

    assert beat in {"hello", "beat"}
    assert ends == [CloseCode.BAD_TOKEN] * 3
