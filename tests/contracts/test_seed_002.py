"""Seed 002 over real servers: its examples as printed, its shapes field by field."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websocket

from tests.contracts.seed_002_help import (
    ADDRESS,
    Socket,
    asked,
    client,
    created,
    example,
    golden,
    plain,
    task,
    text_of,
)
from tests.docs.test_dialect_documents import lines
from tests.serving import Running, start_server, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

SLOW = {"script": [{"text": "word ", "chunks": 40, "pause_seconds": 0.05}]}


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param, "--open") as running:
        yield running


@pytest.fixture(scope="module")
def web(server: Running) -> Iterator[httpx2.Client]:
    with client(server) as found:
        yield found


Connect = Callable[..., Socket]


@pytest.fixture
def connect(server: Running) -> Iterator[Connect]:
    """Opens sockets to an agent, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def opened(agent: str = "assistant", **options: Any) -> Socket:
            socket = Socket(server, agent, **options)
            stack.callback(socket.close)
            return socket

        yield opened


# The examples, as printed


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the script of example 1 finds its programs: a server runs already, nothing sleeps."""
    for name in ("hector", "sleep"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    if shutil.which("jq") is None:
        line = "import json, sys; print(json.load(sys.stdin)['sessionId'])"
        (tmp_path / "jq").write_text(f"#!/bin/sh\nexec '{sys.executable}' -c \"{line}\"\n")
        (tmp_path / "jq").chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def test_br3_the_examples_of_its_page_are_answered(web: httpx2.Client):
    found = [one for one in lines("streams.md") if one.address.startswith("/sessions")]
    made, states = "ID", []

    for line in found:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        address = line.address.replace("ID", made)
        answer = web.request(line.method, address, content=line.body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        states.append(answer.json().get("status"))
        made = answer.json().get("sessionId", made)

    assert len(found) == 2
    assert states[-1] == "completed"


def test_example_1_runs_as_printed(server: Running, web: httpx2.Client, path: str):
    environment = {**os.environ, "PATH": path, "no_proxy": "*"}
    found = subprocess.run(
        ["/bin/bash", "-c", example(1, server)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    first, _, rest = found.stdout.partition("\n")
    session = first.removeprefix("Session ID: ")
    decoder = json.JSONDecoder()
    one, end = decoder.raw_decode(rest)
    two, _ = decoder.raw_decode(rest[end:])
    assert (one["status"], two["status"]) == ("completed", "completed")
    assert "Alice" in two["output"]["content"]
    assert web.get(f"/sessions/{session}").status_code == 404


def test_example_2_runs_as_printed(server: Running):
    found = subprocess.run(
        [sys.executable, "-c", example(2, server)],
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=True,
    )

    first, *texts = found.stdout.removesuffix("\n[done] None\n").split("\n[text] ")
    said = "".join(texts)
    assert first.startswith("[metadata] {")
    assert said.startswith("A thought that wakes in lines of light,\n")
    assert said.endswith("all it came to plan.")


def test_two_sessions_side_by_side_each_know_their_own(web: httpx2.Client):
    alice, bob = (created(web)["sessionId"] for _ in range(2))
    asked(web, alice, "My name is Alice")
    asked(web, bob, "My name is Bob")

    answers = [
        asked(web, one, "What is my name?")["output"]["content"] for one in (alice, bob, alice)
    ]

    assert answers == ["Your name is Alice.", "Your name is Bob.", "Your name is Alice."]


def test_a_question_is_understood_from_what_was_said_before(web: httpx2.Client):
    session = created(web)["sessionId"]
    asked(web, session, "What are AI agents?")

    answer = asked(web, session, "Give me 3 examples")["output"]["content"]

    assert "agent" in answer.lower()


# Shapes


def test_a_session_is_as_the_seed_shows_it(web: httpx2.Client):
    made = created(web, metadata={"user": "john"})

    read = web.get(f"/sessions/{made['sessionId']}").json()

    assert plain(made) == golden("session")
    assert read == made
    assert (made["aegisState"], made["conditions"]) == ("created", [])


def test_a_finished_task_is_as_the_seed_shows_it(web: httpx2.Client):
    session = created(web)["sessionId"]
    asked(web, session, "My name is Alice")

    found = asked(web, session, "What is my name?")

    assert plain(found) == golden("task")
    assert found["taskId"] == found["metadata"]["runId"]


def test_agents_are_listed_with_their_cards(server: Running, web: httpx2.Client):
    card = web.get("/agents/assistant").json()

    listed = web.get("/agents").json()

    host = server.url.removeprefix("http://")
    assert json.loads(json.dumps(card).replace(host, ADDRESS)) == golden("agent")
    assert card in listed["agents"]
    assert listed["total"] == len(listed["agents"])


def test_sessions_are_listed_until_they_end(web: httpx2.Client):
    made = [created(web)["sessionId"] for _ in range(3)]
    web.delete(f"/sessions/{made[0]}")

    listed = web.get("/sessions", params={"agent_id": "assistant"}).json()
    page = web.get("/sessions", params={"limit": 1}).json()
    nobodys = web.get("/sessions", params={"agent_id": "nobody"}).json()

    ids = [one["sessionId"] for one in listed["sessions"]]
    assert made[0] not in ids
    assert {made[1], made[2]} <= set(ids)
    assert listed["total"] == len(ids)
    assert [one["sessionId"] for one in page["sessions"]] == [made[2]]
    assert nobodys == {"sessions": [], "total": 0}


def test_the_state_of_a_session_is_its_memory(web: httpx2.Client):
    made = created(web, state={"mood": "good"})

    assert made["state"] == {"mood": "good"}


# Tasks


@pytest.mark.parametrize(
    ("headers", "body"), [({"Prefer": "respond-async"}, {}), ({}, {"returnImmediately": True})]
)
def test_a_task_goes_on_when_nobody_wants_to_wait(
    web: httpx2.Client, headers: dict[str, str], body: dict[str, Any]
):
    label = f"slow {len(headers)}"
    order = task("Go", taskId=label, parameters=SLOW, **body)

    begun = web.post("/agents/assistant/tasks", json=order, headers=headers)

    assert begun.status_code == 202
    assert begun.json()["status"] in {"pending", "running"}
    assert begun.headers["Preference-Applied"] == "respond-async"
    address = f"/agents/assistant/tasks/{label}"
    until(lambda: web.get(address).json()["status"] == "completed")
    assert web.get(address).json()["output"]["content"].startswith("word 1 word 2 ")


def test_a_task_without_a_session_gets_one_of_its_own(web: httpx2.Client):
    found = web.post("/agents/assistant/tasks", json=task("My name is Carol")).json()

    session = found["metadata"]["sessionId"]
    assert asked(web, session, "What is my name?")["output"]["content"] == "Your name is Carol."


def test_a_task_may_name_its_session(web: httpx2.Client):
    session = created(web)["sessionId"]
    asked(web, session, "My name is Alice")

    order = task({"prompt": "What is my name?"}, context={"sessionId": session})
    found = web.post("/agents/assistant/tasks", json=order).json()

    assert found["output"]["content"] == "Your name is Alice."
    assert found["metadata"]["sessionId"] == session


def test_a_task_that_fails_says_why(web: httpx2.Client):
    script = [{"text": "half", "chunks": 3, "error": {"code": "TOKEN_LIMIT", "after": 2}}]
    session = created(web)["sessionId"]

    found = asked(web, session, "Go", parameters={"script": script})

    assert found["status"] == "failed"
    assert found["error"]["code"] == "TOKEN_LIMIT"
    assert "output" not in found


def test_an_idempotent_task_is_carried_out_once(web: httpx2.Client):
    session = created(web)["sessionId"]
    headers = {"Idempotency-Key": f"k-{session}"}

    first, second = (
        web.post(f"/sessions/{session}/tasks", json=task("Hello"), headers=headers)
        for _ in range(2)
    )

    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_a_body_is_json_whatever_its_type_says(web: httpx2.Client, kind: str):
    headers = {"Content-Type": kind} if kind else {}

    answer = web.post("/sessions", content=b'{"agentId": "assistant"}', headers=headers)

    assert answer.status_code == 201


# Refusals


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "code"),
    [
        ("POST", "/sessions", {"agentId": "nobody"}, 404, "AGENT_NOT_FOUND"),
        ("POST", "/sessions", {}, 400, "INVALID_INPUT"),
        ("POST", "/sessions", b"{", 400, "INVALID_INPUT"),
        ("GET", "/sessions/nothing", None, 404, "SESSION_NOT_FOUND"),
        ("DELETE", "/sessions/nothing", None, 404, "SESSION_NOT_FOUND"),
        ("POST", "/sessions/nothing/tasks", task("x"), 404, "SESSION_NOT_FOUND"),
        ("POST", "/agents/nobody/tasks", task("x"), 404, "AGENT_NOT_FOUND"),
        ("POST", "/agents/assistant/tasks", task(""), 400, "INVALID_INPUT"),
        ("POST", "/agents/assistant/tasks", task({"a": 1}), 400, "INVALID_INPUT"),
        ("POST", "/agents/assistant/tasks", task("x" * 100_001), 413, "INVALID_INPUT"),
        (
            "POST",
            "/agents/assistant/tasks",
            task("x", parameters={"a": 1e300}),
            400,
            "INVALID_INPUT",
        ),
        ("GET", "/agents/nobody", None, 404, "AGENT_NOT_FOUND"),
        ("GET", "/agents/assistant/tasks/nothing", None, 404, "TASK_NOT_FOUND"),
        ("PUT", "/sessions", {}, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/agents/assistant/tasks", None, 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_the_seed(
    web: httpx2.Client, method: str, address: str, body: Any, status: int, code: str
):
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None

    answer = web.request(method, address, content=content)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message", "details"}


def test_a_session_is_of_one_agent(connect: Connect, web: httpx2.Client, server: Running):
    session = created(web)["sessionId"]
    server.manage("shell", "-v", "0", "-c", OTHER)

    order = task("x", context={"sessionId": session})
    answer = web.post("/agents/other/tasks", json=order)
    socket = connect("other")
    socket.send(order)
    (chunk,) = socket.chunks()

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")
    assert (chunk["chunkType"], chunk["final"]) == ("error", True)
    assert chunk["content"]["code"] == "INVALID_INPUT"


OTHER = """
from sessions.models import Agent
Agent.objects.get_or_create(slug="other", defaults={"name": "Other", "model": "scripted:assistant"})
"""


def test_an_invalid_token_is_told_from_none(web: httpx2.Client):
    headers = {"Authorization": "Bearer aeg_none_nothing"}

    answer = web.get("/sessions", headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_TOKEN")


def test_a_page_from_elsewhere_may_not_send_tasks(connect: Connect, web: httpx2.Client):
    page = {"Origin": "http://evil.example"}

    answer = web.post("/sessions", json={"agentId": "assistant"}, headers=page)

    assert answer.status_code == 403
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        connect(origin=page["Origin"])
    assert refused.value.status_code == 403


# The socket


def test_chunks_are_as_the_seed_shows_them_and_the_socket_closes_after_the_final_one(
    connect: Connect,
):
    socket = connect()
    said = {"script": [{"text": "Quantum computing is...", "chunks": None}]}

    socket.send(task("Explain quantum computing", taskId="task-123", parameters=said))
    found = list(socket.chunks())

    first, last = plain(found[1]), plain(found[-1])
    assert found[0]["chunkType"] == "metadata"
    assert first == {**golden("text_chunk"), "content": first["content"]}
    assert last == golden("done_chunk")
    assert text_of(found) == "Quantum computing is..."
    assert {one["taskId"] for one in found} == {"task-123"}


def test_one_line_without_a_label_is_enough(connect: Connect):
    socket = connect()

    socket.send('{"input":{"type":"text/plain","content":"Hello"}}')
    found = list(socket.chunks())

    assert found[0]["content"]["runId"] == found[0]["taskId"]
    assert (found[-1]["chunkType"], found[-1]["final"]) == ("done", True)


def test_a_stream_joins_the_session_it_names_and_its_history(connect: Connect, web: httpx2.Client):
    session = created(web)["sessionId"]
    asked(web, session, "My name is Alice")
    socket = connect()

    socket.send(task("What is my name?", context={"sessionId": session}))
    found = list(socket.chunks())

    assert text_of(found) == "Your name is Alice."
    assert found[0]["content"]["sessionId"] == session
    activity = web.get(f"/sessions/{session}").json()
    assert activity["lastActivityAt"] >= activity["createdAt"]


def test_several_tasks_share_a_socket_told_apart_by_their_labels(connect: Connect):
    socket = connect()

    for label in ("one", "two", "three"):
        script = [{"text": f"{label} ", "chunks": 5, "pause_seconds": 0.02}]
        socket.send(task("Go", taskId=label, parameters={"script": script}))
    found: list[Any] = []
    while sum(one["final"] for one in found) < 3:
        found.append(socket.next())
    socket.send(task("Hello", taskId="four"))
    again = socket.until_final()
    socket.close()

    assert text_of(found, "two") == "two 1 two 2 two 3 two 4 two 5 "
    assert text_of(found, "three") == "three 1 three 2 three 3 three 4 three 5 "
    assert {one["taskId"] for one in again} == {"four"}


def test_who_was_cut_goes_on_behind_the_last_chunk(connect: Connect):
    first, second, late = connect(), connect(), connect()
    first.send(task("Go", taskId="cut", parameters=SLOW))
    had = [first.next() for _ in range(5)]
    first.link.shutdown()

    second.send({"taskId": "cut", "after": had[-1]["id"]})
    rest = list(second.chunks())
    late.send({"taskId": "cut", "after": 0})
    whole = list(late.chunks())

    said = "".join(f"word {number} " for number in range(1, 41))
    assert text_of(had + rest) == said
    assert len({one["id"] for one in had + rest}) == len(had + rest)
    assert text_of(whole) == said
    assert [one["chunkType"] for one in whole] == ["metadata", "text", "done"]


@pytest.mark.parametrize(
    ("agent", "frame", "code"),
    [
        ("nobody", task("x", taskId="t"), "AGENT_NOT_FOUND"),
        ("assistant", task("", taskId="t"), "INVALID_INPUT"),
        ("assistant", {"taskId": "t"}, "INVALID_INPUT"),
        ("assistant", {"taskId": "t", "after": "1"}, "TASK_NOT_FOUND"),
        (
            "assistant",
            task("x", taskId="t", context={"sessionId": "nothing"}),
            "SESSION_NOT_FOUND",
        ),
    ],
)
def test_a_task_that_cannot_be_is_one_final_error(
    connect: Connect, agent: str, frame: Any, code: str
):
    socket = connect(agent)

    socket.send(frame)
    (chunk,) = socket.chunks()

    assert (chunk["taskId"], chunk["chunkType"], chunk["final"]) == ("t", "error", True)
    assert chunk["content"]["code"] == code


def test_nonsense_is_one_final_error(connect: Connect):
    socket = connect()

    socket.send("{nonsense")
    (chunk,) = socket.chunks()

    assert (chunk["taskId"], chunk["content"]["code"]) == ("", "INVALID_INPUT")
