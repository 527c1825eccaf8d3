"""Parallel calls of a real run, decided out of order, by a second person, after a restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.outside import Outside, outside
from tests.serving import PASSWORD, Running, start_server, until

pytestmark = [pytest.mark.timeout(240), pytest.mark.servers]

API = "/api/v1"
SETTINGS = {"AEGIS_OUTWARD_HOSTS": "127.0.0.1", "AEGIS_OUTWARD_NETWORKS": "127.0.0.0/8"}
PERSON = f"""
from django.contrib.auth.models import Group, User
ana = User.objects.create_superuser("ana", "", {PASSWORD!r})
ana.groups.add(Group.objects.get(name="default"))
"""
RULES = [
    {
        "name": "look",
        "verdict": "auto",
        "arguments": [{"path": "url", "op": "like", "value": "*/free"}],
    },
    {
        "name": "late",
        "verdict": "approve",
        "seconds": 1,
        "arguments": [{"path": "url", "op": "like", "value": "*/late"}],
    },
    {"name": "second person", "verdict": "approve", "seconds": 600, "who": {"four_eyes": True}},
]


def test_calls_are_decided_out_of_order_by_a_second_person_after_a_restart(tmp_path: Path):
    with outside() as place:
        with start_server(home=tmp_path / "home", **SETTINGS) as server:
            server.manage("shell", "-v", "0", "-c", PERSON)
            with program(server) as web:
                prepare(web)
            with person(server, "ana") as ana:
                session = begin(ana, place, "/free", "/edited", "/denied")
                first, second = until(lambda: waiting(ana, session, 2))
                refused = decide(ana, second, approved=True)
                # What is read only may be read again after a kill in the middle of it.
                until(lambda: "completed" in states(ana, session))
            server.kill()

        with (
            start_server(home=tmp_path / "home", **SETTINGS) as server,
            person(server, "admin") as admin,
        ):
            denied = decide(admin, second, approved=False, reason="Not this one.")
            before = run_of(admin, session)
            other = place.url("/other")
            approved = decide(admin, first, approved=True, edited_arguments={"url": other})
            again = decide(admin, first, approved=True)
            run = until(lambda: done(admin, session))
            called = states(admin, session)
            events = ledger(admin, session)

    assert (refused.status_code, code(refused)) == (403, "PERMISSION_DENIED")
    assert (denied.status_code, approved.status_code) == (200, 200)
    assert (before["state"], before["waiting_for"]) == ("waiting", "approval")
    assert (again.status_code, code(again)) == (409, "APPROVAL_ALREADY_DECIDED")
    assert run["state"] == "completed"
    assert sorted(visit.path for visit in place.visits) == ["/free", "/other"]
    assert sorted(called) == ["completed", "completed", "rejected"]
    decided = [one["data"] for one in events if one["type"] == "approval.decided"]
    assert [(one["state"], one["by"], one["edited"]) for one in decided] == [
        ("rejected", "user:admin", False),
        ("approved", "user:admin", True),
    ]


def test_decision_past_the_deadline_is_refused_and_nothing_is_done(tmp_path: Path):
    with (
        outside() as place,
        start_server(home=tmp_path / "home", **SETTINGS) as server,
        program(server) as web,
    ):
        prepare(web)
        session = begin(web, place, "/late")
        [late] = until(lambda: waiting(web, session, 1))
        run = until(lambda: done(web, session))
        refused = decide(web, late, approved=True)
        [call] = web.get(f"{API}/sessions/{session}/tool-calls").json()["data"]

    assert run["state"] == "completed"
    assert code(refused) in {"APPROVAL_ALREADY_DECIDED", "APPROVAL_TIMEOUT"}
    assert (call["state"], call["error"]["code"]) == ("expired", "APPROVAL_TIMEOUT")
    assert place.visits == []


@contextmanager
def program(server: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False) as found:
        yield found


@contextmanager
def person(server: Running, name: str) -> Iterator[httpx2.Client]:
    """Somebody who signed in to the admin, as a browser does."""
    with httpx2.Client(base_url=server.url, timeout=30, trust_env=False) as found:
        found.headers["Origin"] = server.url
        found.get("/admin/login/")
        form = {"username": name, "password": PASSWORD, "next": "/admin/"}
        token = {"csrfmiddlewaretoken": found.cookies["csrftoken"]}
        answer = found.post("/admin/login/", data={**form, **token})
        assert answer.status_code == 302, answer.text[:2000]
        found.headers["X-CSRFToken"] = found.cookies["csrftoken"]
        yield found


def prepare(web: httpx2.Client) -> None:
    """A policy, and an agent that reaches the outside."""
    policy = web.post(f"{API}/policies", json={"slug": "desk", "rules": RULES, "team": "default"})
    assert policy.status_code == 201, policy.text
    body = {
        "slug": "trader",
        "name": "Trader",
        "model": "scripted:assistant",
        "tools": ["http_get"],
    }
    agent = web.post(f"{API}/agents", json=body)
    assert agent.status_code == 201, agent.text


def begin(web: httpx2.Client, place: Outside, *paths: str) -> str:
    """A session in which the agent asks for all of these at once."""
    body = {"agent": "trader", "config": {"policy": "desk"}, "team": "default"}
    made = web.post(f"{API}/sessions", json=body)
    assert made.status_code == 201, made.text
    session: str = made.json()["id"]
    tools = [{"tool": "http_get", "arguments": {"url": place.url(path)}} for path in paths]
    said = {"content": "Go.", "parameters": {"script": [{"text": "Let me.", "tools": tools}]}}
    answer = web.post(f"{API}/sessions/{session}/messages", json=said)
    assert answer.status_code in {200, 201, 202}, answer.text
    return session


def states(web: httpx2.Client, session: str) -> list[str]:
    """Where the tool calls of a session are."""
    calls = web.get(f"{API}/sessions/{session}/tool-calls").json()["data"]
    return [call["state"] for call in calls]


def waiting(web: httpx2.Client, session: str, count: int) -> list[str]:
    """The approvals of a session by the arguments asked for, once there are so many."""
    found = web.get(f"{API}/sessions/{session}/approvals").json()["data"]
    found.sort(key=lambda one: one["tool_call"]["arguments"]["url"], reverse=True)
    return [one["id"] for one in found] if len(found) == count else []


def decide(web: httpx2.Client, approval: str, **order: Any) -> httpx2.Response:
    return web.post(f"{API}/approvals/{approval}/decide", json=order)


def code(answer: httpx2.Response) -> str:
    return str(answer.json()["error"]["code"])


def run_of(web: httpx2.Client, session: str) -> dict[str, Any]:
    found: dict[str, Any] = web.get(f"{API}/sessions/{session}/runs").json()["data"][0]
    return found


def done(web: httpx2.Client, session: str) -> dict[str, Any]:
    """The run once it is over, until then nothing."""
    found = run_of(web, session)
    return found if found["state"] in {"completed", "failed", "cancelled"} else {}


def ledger(web: httpx2.Client, session: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get(f"{API}/sessions/{session}/events").json()["data"]
    return found
