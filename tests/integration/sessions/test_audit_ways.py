"""The same command by six ways leaves six entries that say the same of it."""

from typing import Any

import pytest
from django.test import Client

from sessions.models import Session
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller

pytestmark = [
    pytest.mark.dialects,
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

WAYS = ("rest", "agent-session", "envelope", "bus", "admin", "cli")


def start(way: str, session: Session, program: Caller, admin_client: Client, aegis: Any) -> None:
    """Start a session by one of the ways."""
    named = str(session.pk)
    match way:
        case "rest":
            program.post(f"/api/v1/sessions/{named}/start")
        case "agent-session":
            program.patch(f"/api/v1/agent-sessions/{named}", {"state": "RUNNING"})
        case "envelope":
            program.command("SESSION_START", {"session_id": named})
        case "bus":
            body = {"type": "activate", "data": {"sessionId": named}}
            program.post("/bus/session", body)
        case "admin":
            page = f"/admin/aegis_sessions/session/{named}/lever/"
            admin_client.post(page, {"verb": "start"})
        case "cli":
            aegis("session", "start", named)


def test_the_same_command_by_six_ways_gives_six_comparable_entries(
    program: Caller, admin_client: Client, aegis: Any
):
    sessions = {way: factories.session(key=way, team="default") for way in WAYS}

    for way, session in sessions.items():
        start(way, session, program, admin_client, aegis)

    entries = AuditEntry.objects.filter(command="session.start").order_by("pk")
    told = [(one.session_id, one.target, one.outcome, one.code) for one in entries]
    assert told == [(sessions[way].pk, way, "ok", "") for way in WAYS]
    assert len({tuple(sorted(one.detail)) for one in entries}) == 1
    transports = [one.transport for one in entries]
    assert transports == ["rest", "rest", "rest", "rest", "admin", "cli"]
    assert len({one.actor for one in entries}) == 3
    # Whoever asks over the wire is found again by the request.
    assert all(one.request_id for one in entries if one.transport != "cli")
