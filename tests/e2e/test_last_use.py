"""The last use of a credential, whichever way it comes to a real server."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from websockets.sync.client import connect

from tests.browser.desk import Api, Scripted
from tests.serving import ROOT, Running, start_server

pytestmark = pytest.mark.timeout(180)


class Place(NamedTuple):
    """A server, and a session on it."""

    running: Running
    api: Api
    session: str

    def ask(self, path: str, secret: str, body: Any = None, **headers: str) -> None:
        """Ask for something, and read the beginning of the answer."""
        request = urllib.request.Request(  # noqa: S310 -- a server of ours
            self.running.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {secret}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- as above
            assert answer.read(1)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with start_server(AEGIS_LOG_LEVEL="DEBUG") as running:
        api = Api(running.url, running.token)
        yield Place(running, api, api.session()["id"])


def rest(place: Place, secret: str) -> None:
    place.ask("/api/v1/sessions", secret)


def stream(place: Place, secret: str) -> None:
    path = f"/api/v1/sessions/{place.session}/events"
    place.ask(path, secret, Accept="text/event-stream")


def agents(place: Place, secret: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}}
    place.ask("/a2a/assistant", secret, body, **{"A2A-Version": "1.0"})


def bus(place: Place, secret: str) -> None:
    place.ask("/bus/session", secret, {"type": "list", "data": {}})


def envelope(place: Place, secret: str) -> None:
    place.ask("/aegis/commands", secret, {"request_id": "r", "command": "SESSION_LIST"})


def command_line(place: Place, secret: str) -> None:
    words = ["aegis", "session", "list", "--server", place.running.url]
    asked = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**place.running.environment, "AEGIS_TOKEN": secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr


def session_socket(place: Place, secret: str) -> None:
    with connect(f"{place.running.ws_url}/ws/sessions/{place.session}", proxy=None) as socket:
        socket.send(json.dumps({"type": "authenticate", "token": secret}))
        assert json.loads(socket.recv(timeout=30))["type"] == "connected"


def control_socket(place: Place, secret: str) -> None:
    with ExitStack() as stack:
        component = Scripted(place.running.ws_url, secret, f"c-{uuid4().hex[:8]}").register()
        stack.callback(component.close)


def issued(place: Place) -> dict[str, Any]:
    scopes = ["sessions:read", "events:read", "messages:read", "runs:read", "agents:read"]
    name = f"robot-{uuid4().hex[:8]}"
    return dict(place.api.post("credentials", {"name": name, "scopes": scopes}))


def token(place: Place) -> dict[str, Any]:
    return dict(place.api.post(f"sessions/{place.session}/tokens"))


WAYS: dict[str, tuple[Callable[[Place, str], None], Callable[[Place], dict[str, Any]], str]] = {
    "REST": (rest, issued, "rest"),
    "SSE": (stream, issued, "rest"),
    "A2A": (agents, issued, "rest"),
    "bus": (bus, issued, "rest"),
    "envelope": (envelope, issued, "rest"),
    "command line": (command_line, issued, "rest"),
    "socket of a session": (session_socket, issued, "session-socket"),
    "control socket": (control_socket, token, "socket"),
}


@pytest.mark.parametrize("way", WAYS)
def test_tk4_the_last_use_moves_over_each_transport(place: Place, way: str):
    use, make, transport = WAYS[way]
    made = make(place)
    row = made.get("credential", made)
    secret = made.get("secret") or made["session_token"]
    assert row["last_used_at"] is None

    use(place, secret)

    rows = place.api.get("credentials?limit=200")["data"]
    (found,) = [one for one in rows if one["id"] == row["id"]]
    assert found["last_used_at"] is not None
    assert found["last_used_transport"] == transport
    # Whichever way it came, it is in nothing that the server printed.
    assert secret not in place.running.log()
