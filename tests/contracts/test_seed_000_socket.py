"""Seed 000's envelopes over the sockets of real servers."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websocket

from streaming.core.errors import CloseCode
from tests.contracts.seed_000_help import differences, golden
from tests.serving import Running, start_server, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

SECONDS = 30


class Client:
    """One connection of somebody who commands."""

    def __init__(self, server: Running, token: str = "", **options: Any) -> None:
        header = [f"Authorization: Bearer {token}"] if token else []
        self.link = websocket.create_connection(
            f"{server.ws_url}/aegis/commands", timeout=SECONDS, header=header, **options
        )
        # The library loses sight of it when the server closes at the same time.
        self._connection = self.link.sock

    def say(self, word: str, payload: Any = None, *, request_id: str = "r") -> None:
        envelope = {"request_id": request_id, "command": word, "payload": payload or {}}
        self.link.send(json.dumps(envelope))

    def next(self) -> Any:
        text = self.link.recv()
        return json.loads(text) if text else None

    def command(self, word: str, payload: Any = None) -> Any:
        """What the envelope of a command is answered with."""
        self.say(word, payload)
        return self.next()

    def close(self) -> None:
        self.link.close()
        if self._connection is not None:
            self._connection.close()


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def opened(server: Running, token: str = "", **options: Any) -> Client:
            found = Client(server, token, **options)
            stack.callback(found.close)
            return found

        yield opened


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param, "--open", AEGIS_START_SECONDS="5") as running:
        yield running


def made(client: Client, name: str, *components: str) -> str:
    """The id of a new session that counts on these components."""
    said = client.command("SESSION_CREATE", {"name": name})["data"]["session"]
    if components:
        client.command("SESSION_ATTACH", {"session_id": said["id"], "components": components})
    session: str = said["id"]
    return session


def answers(client: Client) -> dict[str, Any]:
    """One session, and what each command about it is answered."""
    found = {"session_create_ok": client.command("SESSION_CREATE", {"name": "one"})}
    one = {"session_id": found["session_create_ok"]["data"]["session"]["id"]}
    nowhere = {"session_id": "nowhere"}
    optional = [{"name": "comp1", "required": False}, {"name": "comp2", "required": False}]
    found["session_attach_ok"] = client.command("SESSION_ATTACH", {**one, "components": optional})
    client.command("SESSION_START", one)
    client.command("SESSION_STOP", one)
    found["session_start_ok"] = client.command("SESSION_START", one)
    found["session_attach_error"] = client.command("SESSION_ATTACH", {**one, "components": ["c"]})
    found["session_state_ok"] = client.command("SESSION_STATE", one)
    found["session_stop_ok"] = client.command("SESSION_STOP", one)
    found["session_list_ok"] = client.command("SESSION_LIST")
    found["session_create_error"] = client.command("SESSION_CREATE", {"mode": "sideways"})
    found["session_stop_error"] = client.command("SESSION_STOP", nowhere)
    found["session_state_error"] = client.command("SESSION_STATE", nowhere)
    return found


# The states of what the seed shows are those of its own components and sessions.
WORDS = {"state", "stopped_at"}


def test_answers_have_the_shapes_of_the_seed(server: Running, connect: Connect):
    found = answers(connect(server))

    for name, said in found.items():
        wanted = golden(name)
        lines = differences(wanted, {**said, "request_id": "<uuid>"})
        assert [line for line in lines if not is_word(line)] == [], name
        assert (said["request_id"], said["command"], said["status"]) == (
            "r",
            wanted["command"],
            wanted["status"],
        )


def is_word(line: str) -> bool:
    return line.partition(":")[0].rpartition(".")[2] in WORDS


def test_a_start_without_its_components_is_an_error_of_the_seed(server: Running, connect: Connect):
    client = connect(server)
    session = made(client, "waiting", "comp1")

    said = client.command("SESSION_START", {"session_id": session})

    assert differences(golden("session_start_error"), said) == []
    assert said["message"] == "Could not start session: Not ready in time: comp1."


def test_a_stop_comes_between_a_start_and_its_answer(server: Running, connect: Connect):
    client = connect(server)
    session = {"session_id": made(client, "between", "comp1")}

    client.say("SESSION_START", session, request_id="start")
    until(lambda: conditions(client, session) == ["starting"])
    client.say("SESSION_STOP", session, request_id="stop")
    said = {one["request_id"]: one for one in (client.next(), client.next())}

    assert said["stop"]["status"] == "ok"
    assert said["start"]["message"] == (
        "Could not start session: The start was withdrawn; the session is created."
    )


def conditions(client: Client, session: dict[str, str]) -> Any:
    return client.command("SESSION_STATE", session)["data"]["session"]["conditions"]


def test_two_clients_command_the_same_session(server: Running, connect: Connect):
    one, two = connect(server), connect(server)
    session = {"session_id": made(one, "same")}

    for client in (one, two):
        client.say("SESSION_START", session)
    started = [client.next()["data"] for client in (one, two)]
    seen = two.command("SESSION_STATE", session)["data"]["session"]

    assert sorted(one["previous_state"] for one in started) == ["initialized", "running"]
    assert {one["current_state"] for one in started} == {"running"}
    assert seen["state"] == "running"


@pytest.mark.parametrize(
    ("frame", "request_id", "command", "message"),
    [
        ("{", "", "", None),
        ("[]", "", "", None),
        ('{"request_id": "a"}', "a", "", "command must be a word of at most 64 characters."),
        (
            '{"request_id": "a", "command": "session_list", "payload": []}',
            "a",
            "SESSION_LIST",
            "payload must be an object.",
        ),
        ('{"request_id": "a", "type": "fly"}', "a", "FLY", "Unknown command: FLY"),
    ],
)
def test_what_is_no_command_is_answered_and_closes_nothing(
    server: Running, connect: Connect, frame: str, request_id: str, command: str, message: str
):
    client = connect(server)

    client.link.send(frame)
    said = client.next()

    assert said.keys() == {"request_id", "command", "status", "message", "data"}
    assert (said["request_id"], said["command"]) == (request_id, command)
    assert (said["status"], said["data"]) == ("error", {})
    assert message in {None, said["message"]}
    assert client.command("SESSION_LIST")["status"] == "ok"


def test_who_floods_it_is_sent_away(connect: Connect):
    with start_server("--open", AEGIS_CONTROL_FRAMES_PER_SECOND="10") as server:
        client = connect(server)
        for _ in range(60):
            client.say("NOTHING")
        frames = iter(lambda: client.link.recv_data(control_frame=True), None)
        closing = next(data for opcode, data in frames if opcode == websocket.ABNF.OPCODE_CLOSE)

    assert int.from_bytes(closing[:2]) == CloseCode.RATE_LIMITED


def test_a_page_from_elsewhere_commands_nothing(server: Running, connect: Connect):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        connect(server, origin="http://evil.example")

    assert refused.value.status_code == 403


def test_nobody_commands_nothing_and_sessions_survive_a_server_that_is_killed(connect: Connect):
    with start_server() as first:
        for token in ("", "aeg_none_nothing"):
            with pytest.raises(websocket.WebSocketBadStatusException) as refused:
                connect(first, token)
            assert refused.value.status_code == 403
        before = connect(first, first.token)
        session = {"session_id": made(before, "lasting")}
        before.command("SESSION_START", session)
        first.kill()
        with start_server(home=first.home) as second:
            after = connect(second, second.token)

            seen = after.command("SESSION_STATE", session)["data"]["session"]
            deleted = after.command("SESSION_DELETE", session)
            gone = after.command("SESSION_STATE", session)

    assert (seen["name"], seen["state"]) == ("lasting", "running")
    assert deleted["data"] == {**session, "session_name": "lasting"}
    assert gone["message"] == "Session not found"
