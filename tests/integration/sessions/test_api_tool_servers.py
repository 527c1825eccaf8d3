import json
from typing import Any

import pytest

from aegis_project import sealed
from components.core.scopes import OPEN_SCOPES, SCOPES
from sessions.jobs import ToolServers
from sessions.models import ToolServer
from sessions.toolbox import servers
from sessions.toolbox.servers import Server
from streaming import hints
from streaming.models import AuditEntry
from tests.calling import Caller, caller
from tests.calling import code as status_and_code

pytestmark = pytest.mark.django_db

SERVERS = "/api/v1/tool-servers"
FAR: dict[str, Any] = {
    "slug": "far",
    "url": "https://tools.example/mcp",
    "secret": {"Authorization": "Bearer s3"},
}
HERE: dict[str, Any] = {"slug": "here", "command": ["program", "--flag"]}


def code(answer: Any) -> str:
    return status_and_code(answer)[1]


def test_a_tool_server_is_made_read_changed_and_removed(program: Caller):
    made = program.post(SERVERS, FAR)
    program.post(SERVERS, HERE)

    listed = program.get(SERVERS).json()["data"]
    changed = program.patch(f"{SERVERS}/far", {"is_active": False})
    removed = program.delete(f"{SERVERS}/here")

    assert made.status_code == 201
    document = made.json()
    assert document == {
        "slug": "far",
        "url": "https://tools.example/mcp",
        "command": [],
        "has_secret": True,
        "is_active": True,
        "created_at": document["created_at"],
    }
    assert [one["slug"] for one in listed] == ["far", "here"]
    assert changed.json() == document | {"is_active": False}
    assert program.get(f"{SERVERS}/far").json() == changed.json()
    assert removed.status_code == 204
    assert status_and_code(program.get(f"{SERVERS}/here")) == (404, "TOOL_SERVER_NOT_FOUND")
    assert status_and_code(program.delete(f"{SERVERS}/here")) == (404, "TOOL_SERVER_NOT_FOUND")
    told = AuditEntry.objects.filter(outcome="ok").order_by("pk").values_list("command", "target")
    assert [one for one in told if one[0].startswith("tool_server.")] == [
        ("tool_server.create", "far"),
        ("tool_server.create", "here"),
        ("tool_server.update", "far"),
        ("tool_server.remove", "here"),
    ]


def test_its_secret_is_sealed_used_and_never_said(program: Caller):
    answers = [
        program.post(SERVERS, FAR),
        program.get(SERVERS),
        program.patch(f"{SERVERS}/far", {"secret": {"X-Key": "s3cret"}}),
    ]

    said = json.dumps([one.json() for one in answers])
    audit = json.dumps(list(AuditEntry.objects.values_list("detail", flat=True)))
    kept = ToolServer.objects.get().secret
    assert "s3" not in said + audit
    assert "s3cret" not in kept
    assert servers.active() == [Server("far", FAR["url"], (), {"X-Key": "s3cret"})]


def test_another_address_is_not_shown_the_secret(program: Caller):
    program.post(SERVERS, FAR)

    moved = program.patch(f"{SERVERS}/far", {"url": "https://other.example/mcp"})
    started = program.patch(f"{SERVERS}/far", {"url": "", "command": ["env"]})
    emptied = program.patch(f"{SERVERS}/far", {"url": "https://other.example/mcp", "secret": {}})

    assert (code(moved), code(started)) == ("VALIDATION_ERROR", "VALIDATION_ERROR")
    assert emptied.json()["has_secret"] is False
    assert servers.active() == [Server("far", "https://other.example/mcp", (), {})]


@pytest.mark.parametrize(
    "body",
    [
        {"slug": "none"},
        {**HERE, "url": "https://tools.example"},
        {"slug": "a", "url": "file:///etc/passwd"},
        {"slug": "a", "command": [""]},
        {"slug": "a", "url": "https://a.example", "secret": {"X": "two\nlines"}},
        {"slug": "a", "url": "https://a.example", "secret": "text"},
        {"slug": "A", "url": "https://a.example"},
    ],
)
def test_a_tool_server_that_cannot_be_is_refused(program: Caller, body: dict[str, Any]):
    assert status_and_code(program.post(SERVERS, body)) == (400, "VALIDATION_ERROR")


def test_there_is_one_of_a_slug(program: Caller):
    program.post(SERVERS, FAR)

    assert status_and_code(program.post(SERVERS, FAR)) == (409, "TOOL_SERVER_ALREADY_EXISTS")


def test_only_administrators_register_tool_servers(program: Caller):
    program.post(SERVERS, HERE)
    others = caller(sorted(SCOPES - {"tool_servers:write"}))
    without = caller(["agents:read"])

    assert others.get(f"{SERVERS}/here").status_code == 200
    assert code(others.post(SERVERS, FAR)) == "PERMISSION_DENIED"
    assert code(others.patch(f"{SERVERS}/here", {"is_active": False})) == "PERMISSION_DENIED"
    assert code(others.delete(f"{SERVERS}/here")) == "PERMISSION_DENIED"
    assert code(without.get(SERVERS)) == "PERMISSION_DENIED"
    assert OPEN_SCOPES.isdisjoint({"tool_servers:read", "tool_servers:write"})


def test_what_is_started_here_needs_the_say_over_programs():
    some = caller(["tool_servers:read", "tool_servers:write"])

    assert some.post(SERVERS, FAR).status_code == 201
    assert code(some.post(SERVERS, HERE)) == "PERMISSION_DENIED"
    assert code(some.patch(f"{SERVERS}/far", {"url": "", "command": ["x"], "secret": {}})) == (
        "PERMISSION_DENIED"
    )
    assert ToolServer.objects.get().url == FAR["url"]


def test_a_secret_of_another_installation_takes_no_other_server_away(
    program: Caller, settings: Any, caplog: pytest.LogCaptureFixture
):
    program.post(SERVERS, FAR)
    program.post(SERVERS, HERE)

    settings.SECRET_KEY = "another"

    assert servers.active() == [Server("here", "", ("program", "--flag"), {})]
    assert "left out" in caplog.text


def test_workers_hear_of_a_change(program: Caller, django_capture_on_commit_callbacks: Any):
    heard: list[hints.Hint] = []
    tell = heard.append
    hints.listen(tell)

    try:
        with django_capture_on_commit_callbacks(execute=True):
            program.post(SERVERS, FAR)
    finally:
        hints.unlisten(tell)

    assert [one for one in heard if ToolServers().wants(one)] == [hints.Hint("tool_server", "far")]


def test_the_secret_stands_sealed_as_headers(program: Caller):
    program.post(SERVERS, FAR)

    kept = ToolServer.objects.get().secret

    assert json.loads(sealed.unseal(kept)) == FAR["secret"]
