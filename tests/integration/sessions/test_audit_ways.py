"""The same command by each way: the same right is needed, and the audit says the same of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from aegis_project.kit.principal import Principal
from components import auth
from sessions.dialects.bus.socket import BusConsumer
from sessions.dialects.daemon_socket import DaemonConsumer
from sessions.models import Session
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller

pytestmark = [
    pytest.mark.dialects,
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

# How each of them orders a start, of a program that has a secret.
START: dict[str, Callable[[Caller, str], Any]] = {
    "rest": lambda who, named: who.post(f"/api/v1/sessions/{named}/start"),
    "agent-session": lambda who, named: who.patch(
        f"/api/v1/agent-sessions/{named}", {"state": "RUNNING"}
    ),
    "envelope": lambda who, named: who.command("SESSION_START", {"session_id": named}),
    "bus": lambda who, named: who.post(
        "/bus/session", {"type": "activate", "data": {"sessionId": named}}
    ),
    "daemon-socket": lambda who, named: over_socket(
        DaemonConsumer(),
        who,
        {"request_id": "r-1", "command": "SESSION_START", "payload": {"session_id": named}},
    ),
    "bus-socket": lambda who, named: over_socket(
        BusConsumer(),
        who,
        {"daemon": "session", "type": "activate", "data": {"sessionId": named}},
    ),
}
# The others are transports themselves.
TRANSPORTS = dict.fromkeys(("rest", "agent-session", "envelope", "bus", "server"), "rest")
PEOPLE = ("admin", "cli")


def over_socket(consumer: Any, who: Caller, frame: dict[str, Any]) -> Any:
    """What a socket of a dialect does with a frame, once its door has let somebody in."""
    return consumer.act(principal(who, consumer.transport), consumer.read(frame))


def principal(who: Caller, transport: str) -> Principal:
    secret = who.headers["Authorization"].removeprefix("Bearer ")
    return auth.of_secret(secret, transport=transport)


def test_the_same_command_by_each_way_gives_comparable_entries(
    program: Caller, admin_client: Client, aegis: Any
):
    ways = (*START, *PEOPLE)
    sessions = {way: factories.session(key=way, team="default") for way in ways}

    for way, order in START.items():
        order(program, str(sessions[way].pk))
    page = f"/admin/aegis_sessions/session/{sessions['admin'].pk}/lever/"
    admin_client.post(page, {"verb": "start"})
    aegis("session", "start", str(sessions["cli"].pk))

    entries = AuditEntry.objects.filter(command="session.start").order_by("pk")
    told = [(one.session_id, one.target, one.outcome, one.code, one.detail) for one in entries]
    moved = {"from": "created", "to": "running"}
    assert told == [(sessions[way].pk, way, "ok", "", moved) for way in ways]
    assert [one.transport for one in entries] == [TRANSPORTS.get(way, way) for way in ways]
    assert len({one.actor for one in entries}) == 3
    # Whoever asks over HTTP is found again by the request.
    assert all(one.request_id for one in entries if one.transport in {"rest", "admin"})


@pytest.mark.parametrize("way", [*START, "server"])
def test_tk2_a_scope_that_is_missing_is_refused_by_each_way_and_the_audit_tells(way: str, far: Any):
    named = str(factories.session(key="k", team="default").pk)

    def order(*scopes: str) -> str:
        if way == "server":
            far("session", "start", named, scopes=scopes)
        else:
            START[way](caller(scopes), named)
        return Session.objects.get().state

    states = [order("sessions:read"), order("sessions:read", "sessions:control")]

    refused, done = AuditEntry.objects.filter(command="session.start").order_by("pk")
    assert states == ["created", "running"]
    assert (refused.outcome, refused.code, done.outcome) == ("refused", "PERMISSION_DENIED", "ok")
    assert {refused.transport, done.transport} == {TRANSPORTS.get(way, way)}
