"""Seed 001: every block that it prints, the cases of its original tests, and its curl lines."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.calling import Caller, caller
from tests.contracts.seed_001_help import (
    ADDRESS,
    AGENT_SESSIONS,
    GOLDEN,
    example,
    golden,
    plain,
)
from tests.serving import Running, start_server

pytestmark = pytest.mark.database

METRICS = {"sessionType": "metrics", "sessionId": "metrics-001"}
POLICY = {"sessionType": "policy", "sessionId": "policy-001"}


@pytest.fixture
def program() -> Caller:
    return caller()


def created(program: Caller, **body: Any) -> Any:
    answer = program.post(AGENT_SESSIONS, body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def changed(program: Caller, session: str, **body: Any) -> Any:
    answer = program.patch(f"{AGENT_SESSIONS}/{session}", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def numbered(kind: str, states: list[str], program: Caller) -> None:
    """Sessions of a kind, one in each of these states."""
    for number, state in enumerate(states):
        name = f"{kind}-{number}"
        created(program, sessionType=kind, sessionId=name)
        if state != "init":
            changed(program, name, state=state)


# Every block


@pytest.mark.django_db
def test_a_session_is_created_as_the_seed_shows_it(program: Caller):
    answer = program.post(AGENT_SESSIONS, golden("create_request"))

    assert answer.status_code == 201
    assert plain(answer.json()) == plain(golden("created"))
    assert answer.headers["Location"] == f"{AGENT_SESSIONS}/sim-ops-2025-001"


@pytest.mark.django_db
def test_a_session_is_read_as_the_seed_shows_it(program: Caller):
    wanted = golden("session")
    created(program, **METRICS, context=wanted["context"])
    changed(program, "metrics-001", state="running")

    answer = program.get(f"{AGENT_SESSIONS}/metrics-001")

    assert (answer.status_code, plain(answer.json())) == (200, plain(wanted))


@pytest.mark.django_db
def test_sessions_are_listed_in_the_short_form_of_the_seed(program: Caller):
    wanted = golden("list")
    created(program, **POLICY, context={"objective": "not shown in lists"})
    changed(program, "policy-001", state="completed", result={"not": "shown"})
    created(program, **METRICS)
    changed(program, "metrics-001", state="running")

    answer = program.get(AGENT_SESSIONS)

    # The seed counts one more than it prints.
    assert answer.status_code == 200
    assert plain(answer.json()) == {**plain(wanted), "count": 2}


@pytest.mark.django_db
def test_statistics_are_as_the_seed_shows_them(program: Caller):
    numbered("metrics", ["running", "running", "running", "running"], program)
    numbered("policy", ["completed", "completed"], program)
    numbered("simulation", ["init", "init", "running"], program)
    numbered("audit", ["failed"], program)

    answer = program.get(f"{AGENT_SESSIONS}/stats")

    assert (answer.status_code, answer.json()) == (200, golden("stats"))


@pytest.mark.django_db
def test_a_change_is_answered_as_the_seed_shows_it(program: Caller):
    created(program, **METRICS, context={"agents": ["MetricsAgent"]})

    found = changed(program, "metrics-001", **golden("change_request"))

    assert plain(found) == plain(golden("changed"))


@pytest.mark.django_db
def test_a_deletion_says_nothing(program: Caller):
    created(program, **METRICS)

    answer = program.delete(f"{AGENT_SESSIONS}/metrics-001")

    assert (answer.status_code, answer.content) == (204, b"")


def test_every_block_of_the_seed_is_compared():
    blocks = {path.stem for path in GOLDEN.glob("*.json")}

    assert blocks == {
        "create_request",
        "created",
        "session",
        "list",
        "stats",
        "change_request",
        "changed",
    }


# The sixteen cases of the original


@pytest.mark.django_db
def test_01_a_metrics_session_is_created(program: Caller):
    context = {"agents": ["MetricsAgent"], "objective": "Monitor"}

    found = created(program, **METRICS, context=context)

    assert (found["sessionType"], found["sessionId"]) == ("metrics", "metrics-001")
    assert (found["state"], found["context"]) == ("init", context)


@pytest.mark.django_db
def test_02_a_simulation_with_four_agents_is_created(program: Caller):
    found = created(program, **golden("create_request"))

    assert len(found["context"]["agents"]) == 4


@pytest.mark.django_db
def test_03_a_type_that_there_is_not_is_refused(program: Caller):
    answer = program.post(AGENT_SESSIONS, {"sessionType": "invalid", "sessionId": "x"})

    said = answer.json()
    assert (answer.status_code, said["error"]) == (400, "Invalid request")
    assert [one["path"] for one in said["details"]] == [["sessionType"]]


@pytest.mark.django_db
def test_04_a_second_session_with_the_same_id_is_a_conflict(program: Caller):
    created(program, **METRICS)

    answer = program.post(AGENT_SESSIONS, METRICS)

    assert answer.status_code == 409
    assert answer.json() == {"error": "Session with ID metrics-001 already exists"}


@pytest.mark.django_db
def test_05_all_sessions_are_listed(program: Caller):
    created(program, **METRICS)
    created(program, **POLICY)

    found = program.get(AGENT_SESSIONS).json()

    assert found["count"] == 2
    assert [one["sessionId"] for one in found["sessions"]] == ["policy-001", "metrics-001"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sessionType=metrics", ["metrics-001"]),  # case 6
        ("state=running", ["policy-001"]),  # case 7
        ("sessionType=policy&state=running", ["policy-001"]),  # of the manager's own tests
        ("sessionType=metrics&state=running", []),
        ("state=RUNNING", ["policy-001"]),
    ],
)
def test_06_07_sessions_are_filtered(program: Caller, query: str, names: list[str]):
    created(program, **METRICS)
    created(program, **POLICY)
    changed(program, "policy-001", state="running")

    found = program.get(f"{AGENT_SESSIONS}?{query}").json()

    assert [one["sessionId"] for one in found["sessions"]] == names
    assert found["count"] == len(names)


@pytest.mark.django_db
def test_08_statistics_count_what_there_is(program: Caller):
    created(program, **METRICS)
    numbered("policy", ["running", "completed"], program)

    found = program.get(f"{AGENT_SESSIONS}/stats").json()

    assert found == {
        "total": 3,
        "byType": {"metrics": 1, "policy": 2},
        "byState": {"init": 1, "running": 1, "completed": 1},
    }


@pytest.mark.django_db
def test_09_a_session_is_read(program: Caller):
    made = created(program, **METRICS)

    assert program.get(f"{AGENT_SESSIONS}/metrics-001").json() == made


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_10_14_16_a_session_that_there_is_not_is_not_found(program: Caller, method: str):
    body = {"state": "running"} if method == "PATCH" else None

    answer = program.send(method, f"{AGENT_SESSIONS}/nothing", body)

    assert answer.status_code == 404
    assert answer.json() == {"error": "Session nothing not found"}


@pytest.mark.django_db
def test_11_a_session_is_set_running(program: Caller):
    created(program, **METRICS)

    assert changed(program, "metrics-001", state="running")["state"] == "running"


@pytest.mark.django_db
def test_12_a_session_is_completed_with_a_result(program: Caller):
    created(program, **METRICS)

    found = changed(program, "metrics-001", state="completed", result={"collected": 100})

    assert (found["state"], found["result"]) == ("completed", {"collected": 100})
    assert program.get(f"{AGENT_SESSIONS}/metrics-001").json()["result"] == {"collected": 100}


@pytest.mark.django_db
def test_13_a_change_without_a_state_is_refused(program: Caller):
    created(program, **METRICS)

    answer = program.patch(f"{AGENT_SESSIONS}/metrics-001", {"result": {}})

    assert (answer.status_code, answer.json()) == (400, {"error": "State is required"})


@pytest.mark.django_db
def test_15_a_session_that_was_deleted_is_not_found(program: Caller):
    created(program, **METRICS)

    program.delete(f"{AGENT_SESSIONS}/metrics-001")

    assert program.get(f"{AGENT_SESSIONS}/metrics-001").status_code == 404
    assert program.get(AGENT_SESSIONS).json() == {"count": 0, "sessions": []}


@pytest.mark.django_db
def test_the_text_of_an_error_is_kept(program: Caller):
    created(program, **METRICS)

    found = changed(program, "metrics-001", state="failed", error="Connection timeout")

    assert (found["state"], found["error"]) == ("failed", "Connection timeout")
    assert program.get(f"{AGENT_SESSIONS}/metrics-001").json()["error"] == "Connection timeout"


# The curl lines


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with start_server("--open") as running:
        yield running


@pytest.mark.servers
@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_example_runs_as_printed(server: Running, number: int):
    printed = example(number)
    body = json.loads(printed.partition("-d '")[2].rpartition("'")[0])

    found = subprocess.run(
        ["/bin/bash", "-c", printed.replace(ADDRESS, server.url.removeprefix("http://"))],
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=True,
    )

    shown = json.loads(found.stdout)
    moments = {"createdAt": "<moment>", "updatedAt": "<moment>"}
    assert plain(shown) == {**body, "state": "init", **moments}
    address = f"{server.url}{AGENT_SESSIONS}/{body['sessionId']}"
    assert httpx2.get(address, trust_env=False, timeout=30).json() == shown


@pytest.mark.servers
@pytest.mark.timeout(180)
def test_a_session_is_followed_as_it_moves(server: Running):
    session = {"sessionType": "metrics", "sessionId": "followed"}
    with httpx2.Client(base_url=server.url, timeout=30, trust_env=False) as web:
        made = web.post(AGENT_SESSIONS, json=session).json()
        address = f"{server.ws_url}/ws/sessions/followed?updates=agent-session"
        with connect(address, proxy=None) as socket:
            found = [updated(socket)]
            for body in ({"state": "running"}, golden("change_request")):
                web.patch(f"{AGENT_SESSIONS}/followed", json=body)
                found.append(updated(socket))
        last = web.get(f"{AGENT_SESSIONS}/followed").json()

    assert [one["state"] for one in found] == ["init", "running", "completed"]
    assert (found[0], found[-1]) == (made, last)


def updated(socket: Connection) -> Any:
    """The session in the next update."""
    while (frame := json.loads(socket.recv(timeout=30)))["type"] != "update":
        pass
    return frame["session"]
