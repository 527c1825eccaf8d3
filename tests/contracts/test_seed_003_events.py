"""Seed 003 over real servers: listeners, messages on the socket, a restart, two servers at once."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websocket

from tests.contracts.seed_003_help import golden, plain
from tests.e2e import places
from tests.serving import Running, manage, start_server, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

JOEL = {"type": "development", "owner": "human-joel"}
SECONDS = 30


class Listener:
    """One client at the socket of the bus."""

    def __init__(self, server: Running, token: str = "", **options: Any) -> None:
        header = [f"Authorization: Bearer {token}"] if token else []
        self.link = websocket.create_connection(
            f"{server.ws_url}/bus/events", timeout=SECONDS, header=header, **options
        )
        # The library loses sight of it when the server closes at the same time.
        self._connection = self.link.sock

    def say(self, value: Any) -> None:
        self.link.send(value if isinstance(value, str) else json.dumps(value))

    def next(self) -> Any:
        text = self.link.recv()
        return json.loads(text) if text else None

    def event(self) -> Any:
        """The next event; answers may come before it."""
        while "success" in (found := self.next()):
            pass
        return found

    def ask(self, daemon: str, type_: str, data: Any = None) -> Any:
        """What a daemon answers to a message; events may come before it."""
        self.say({"daemon": daemon, "type": type_, "data": data or {}, "ref": "r"})
        while (found := self.next()).get("ref") != "r":
            pass
        return {name: value for name, value in found.items() if name != "ref"}

    def close(self) -> None:
        self.link.close()
        if self._connection is not None:
            self._connection.close()


Listen = Callable[..., Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Opens listeners, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def opened(server: Running, token: str = "", **options: Any) -> Listener:
            found = Listener(server, token, **options)
            stack.callback(found.close)
            return found

        yield opened


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param, "--open") as running:
        yield running


def client(server: Running, token: str = "") -> httpx2.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.Client(base_url=server.url, headers=headers, timeout=SECONDS, trust_env=False)


@pytest.fixture(scope="module")
def web(server: Running) -> Iterator[httpx2.Client]:
    with client(server) as found:
        yield found


def send(web: httpx2.Client, daemon: str, type_: str, data: Any = None) -> Any:
    """As the seed's clients do: no credentials, no word of what the body is."""
    answer = web.post(f"/bus/{daemon}", content=json.dumps({"type": type_, "data": data or {}}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def created(web: httpx2.Client, **more: Any) -> dict[str, str]:
    return {"sessionId": send(web, "session", "create", JOEL | more)["data"]["sessionId"]}


def expecting(web: httpx2.Client) -> dict[str, str]:
    """A session that somebody else made, and that counts on a component."""
    body = {"components": [{"name": "feed"}]}
    return {"sessionId": web.post("/api/v1/sessions", json=body).json()["id"]}


def test_events_are_as_the_seed_shows_them(server: Running, web: httpx2.Client, listen: Listen):
    listener = listen(server)

    named = created(web)
    first = listener.event()
    send(web, "session", "end", named)
    second = listener.event()

    assert plain(first) == golden("session_created")
    assert plain(second) == golden("session_ended")
    assert {first["data"]["sessionId"], first["data"]["id"]} == set(named.values())
    assert second["data"] == named


def test_every_listener_hears_of_sessions_from_anywhere(
    server: Running, web: httpx2.Client, listen: Listen
):
    listeners = [listen(server), listen(server)]

    made = web.post("/api/v1/sessions", json={"name": "elsewhere"}).json()["id"]
    web.post("/api/v1/sessions/" + made + "/start")
    web.delete(f"/api/v1/sessions/{made}")
    envelope = {"command": "SESSION_CREATE", "payload": {"name": "daemon"}}
    other = web.post("/aegis/commands", json=envelope).json()["data"]["session"]["id"]

    expected = [("session_created", made), ("session_ended", made), ("session_created", other)]
    for listener in listeners:
        heard = [listener.event() for _ in expected]
        assert [(one["type"], one["data"]["sessionId"]) for one in heard] == expected


def test_messages_come_by_the_socket_as_well(server: Running, listen: Listen):
    listener = listen(server)

    made = listener.ask("session", "create", JOEL)
    named = {"sessionId": made["data"]["sessionId"]}
    context = listener.ask("router", "context", named)["data"]
    moved = listener.ask("session", "deactivate", named)
    again = listener.ask("session", "activate", named)
    unknown = listener.ask("session", "teleport", named)
    gone = [listener.ask("session", type_, named) for type_ in ("end", "get")]

    assert plain(made) == golden("create")
    wanted = golden("context")
    assert plain(context) == {**wanted, "session": {**wanted["session"], "transport": "WebSocket"}}
    assert (plain(moved), moved["aegisState"]) == (golden("deactivate"), "paused")
    assert (plain(again), again["aegisState"]) == (golden("activate"), "running")
    assert unknown == golden("unknown_message")
    assert [plain(one) for one in gone] == [golden("end"), golden("not_found")]


@pytest.mark.parametrize(
    "frame",
    ["{", "[]", "1", '{"type": "list"}', {"daemon": "session"}, {"daemon": 1, "type": "list"}],
)
def test_a_frame_that_is_no_message_is_answered_and_closes_nothing(
    server: Running, listen: Listen, frame: Any
):
    listener = listen(server)

    listener.say(frame)
    refused = listener.next()

    assert set(refused) == {"success", "error"}
    assert refused["success"] is False
    assert listener.ask("session", "list")["success"] is True


def test_a_start_that_waits_keeps_no_other_message_waiting(
    server: Running, web: httpx2.Client, listen: Listen
):
    listener, named = listen(server), expecting(web)

    listener.say({"daemon": "session", "type": "activate", "data": named, "ref": "start"})
    until(partial(is_starting, listener, named))
    listener.say({"daemon": "session", "type": "deactivate", "data": named, "ref": "stop"})
    found: dict[str, Any] = {}
    while found.keys() != {"start", "stop"}:
        answer = listener.next()
        found |= {answer["ref"]: answer} if "ref" in answer else {}

    assert (found["stop"]["success"], found["stop"]["aegisState"]) == (True, "created")
    assert found["start"] == {
        "ref": "start",
        "success": False,
        "error": "The start was withdrawn; the session is created.",
    }


def is_starting(listener: Listener, named: dict[str, str]) -> bool:
    found = listener.ask("session", "get", named)["data"]["conditions"]
    return bool(found == ["starting"])


def test_people_and_agents_are_in_one_session(server: Running, web: httpx2.Client):
    named = created(web, owner="shared", type="production")
    said = {"content": "My name is Joel", "agent": "assistant"}

    web.post(f"/api/v1/sessions/{named['sessionId']}/chat", json=said).raise_for_status()
    context = send(web, "chat", "context", named)["data"]

    assert context["session"] == {
        "id": named["sessionId"],
        "participants": ["ai", "human"],
        "sandboxDirectory": named["sessionId"],
        "artifactPaths": {},
    }
    assert not Path(context["session"]["sandboxDirectory"]).is_absolute()
    assert (server.home / "storage" / named["sessionId"]).is_dir()


def test_a_page_from_elsewhere_hears_nothing(server: Running, listen: Listen):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        listen(server, origin="http://evil.example")

    assert refused.value.status_code == 403


# With credentials


ISSUE = """
from uuid import uuid4
from django.contrib.auth.models import Group
from aegis_project.kit import principal
from components.services import credentials
team, _ = Group.objects.get_or_create(name={team!r})
issued = credentials.issue(
    principal=principal.system("tests"), name=str(uuid4()), scopes={scopes!r}, team_id=team.pk
)
print(issued.secret)
"""


def issue(server: Running, *scopes: str, team: str = "default") -> str:
    """The secret of a new credential."""
    script = ISSUE.format(team=team, scopes=list(scopes))
    return manage(server.environment, "shell", "-v", "0", "-c", script).split()[-1]


@pytest.fixture(scope="module")
def closed() -> Iterator[Running]:
    """A server that asks for credentials."""
    with start_server() as running:
        yield running


@pytest.mark.parametrize("token", ["", "aeg_none_nothing"])
def test_nobody_hears_nothing(closed: Running, listen: Listen, token: str):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        listen(closed, token)

    assert refused.value.status_code == 403


def test_to_hear_needs_its_scope(closed: Running, listen: Listen):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        listen(closed, issue(closed, "sessions:read"))

    assert refused.value.status_code == 403


def test_what_others_do_is_not_heard(closed: Running, listen: Listen):
    scopes = ["events:read", "sessions:read", "sessions:write", "sessions:control"]
    mine, theirs = closed.token, issue(closed, *scopes, team="others")
    with client(closed, mine) as web, client(closed, theirs) as others:
        listener = listen(closed, theirs)

        hidden = created(web)
        send(web, "session", "end", hidden)
        shown = created(others)

        assert listener.event()["data"]["sessionId"] == shown["sessionId"]
        assert listener.ask("session", "get", created(web)) == golden("not_found")


def test_who_loses_the_right_is_sent_away(closed: Running, listen: Listen):
    secret = issue(closed, "events:read", "sessions:read")
    listener = listen(closed, secret)
    with client(closed, closed.token) as web:
        rows = web.get("/api/v1/credentials").json()["data"]
        (mine,) = [one["id"] for one in rows if secret.split("_")[1] == one["prefix"]]
        assert web.delete(f"/api/v1/credentials/{mine}").status_code in {200, 204}

    assert listener.next() is None


# Two servers, one of which dies


def test_sessions_survive_a_server_that_is_killed(listen: Listen):
    with start_server("--open") as first, client(first) as web:
        shared, idle, waiting = created(web, owner="shared"), created(web), expecting(web)
        send(web, "session", "deactivate", idle)
        before = listen(first)
        before.say({"daemon": "session", "type": "activate", "data": waiting})
        until(partial(is_starting, before, waiting))
        first.kill()
        with start_server("--open", home=first.home) as second, client(second) as other:
            listener = listen(second)

            assert created(other, owner="shared") == shared
            assert send(other, "session", "get", waiting)["data"]["conditions"] == ["starting"]
            assert send(other, "session", "deactivate", waiting)["aegisState"] == "created"
            assert send(other, "session", "get", idle)["data"]["isActive"] is False
            assert send(other, "session", "end", idle)["success"] is True
            assert listener.event() == {"type": "session_ended", "data": idle}


def test_a_listener_hears_what_happens_at_another_server(listen: Listen):
    with places.place("postgresql uvicorn") as place:
        home = place.home.with_name("other")
        shutil.copytree(place.home, home)
        with (
            place.serve() as first,
            replace(place, home=home).serve() as second,
            client(first, first.token) as web,
            client(second, second.token) as other,
        ):
            listener = listen(second, second.token)

            named = created(web, owner="shared")
            heard = listener.event()
            first.kill()
            joined = created(other, owner="shared")
            send(other, "session", "end", joined)
            rest = listener.event()

    assert (heard["type"], heard["data"]["sessionId"]) == ("session_created", named["sessionId"])
    assert joined == named
    assert rest == {"type": "session_ended", "data": named}
