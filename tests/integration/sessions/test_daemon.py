import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.models import Session
from tests.calling import Caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]

COMMANDS = "/aegis/commands"


@pytest.mark.parametrize(
    "envelope",
    [
        {"request_id": "r", "command": "SESSION_LIST", "payload": {}},
        {"request_id": "r", "type": "session_list", "data": {}},
        {"request_id": "r", "command": " Session_List "},
        {"request_id": "r", "command": "SESSION_LIST", "payload": None, "more": 1},
    ],
)
@pytest.mark.parametrize("address", [COMMANDS, f"{COMMANDS}/"])
def test_an_envelope_is_understood_in_both_spellings(
    program: Caller, envelope: dict[str, Any], address: str
):
    answer = program.post(address, envelope)

    assert answer.status_code == 200
    assert answer.json() == {
        "request_id": "r",
        "command": "SESSION_LIST",
        "status": "ok",
        "data": {"sessions": []},
    }


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_is_json_whatever_it_is_called(program: Caller, kind: str):
    answer = program.post(COMMANDS, {"command": "SESSION_LIST"}, content_type=kind)

    assert answer.json()["status"] == "ok"


def test_an_envelope_without_an_id_gets_the_requests(program: Caller):
    answer = program.post(COMMANDS, {"command": "SESSION_LIST"}, x_request_id="mine")

    assert answer.json()["request_id"] == "mine"


@pytest.mark.parametrize("word", ["SESSION_TELEPORT", "NONSENSE", "ä"])
def test_an_unknown_command_is_answered(program: Caller, word: str):
    answer = program.post(COMMANDS, {"request_id": "r", "command": word})

    assert answer.status_code == 200
    assert answer.json() == {
        "request_id": "r",
        "command": word.upper(),
        "status": "error",
        "message": f"Unknown command: {word.upper()}",
        "data": {},
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        [],
        "SESSION_LIST",
        {},
        {"command": 1},
        {"command": ""},
        {"command": "x" * 65},
        {"command": "SESSION_LIST", "request_id": 1},
        {"command": "SESSION_LIST", "request_id": "x" * 201},
        {"command": "SESSION_LIST", "payload": []},
    ],
)
def test_what_is_no_envelope_is_answered_by_one(program: Caller, body: Any):
    answer = program.post(COMMANDS, body)

    said = answer.json()
    assert answer.status_code == 400
    assert set(said) == {"request_id", "command", "status", "message", "data"}
    assert (said["status"], said["data"]) == ("error", {})


def test_too_large_an_envelope_is_refused(program: Caller):
    body = b'{"command": "' + b"x" * 2 * 1024 * 1024 + b'"}'

    answer = program.post(COMMANDS, body)

    assert (answer.status_code, answer.json()["status"]) == (413, "error")


def test_nobody_commands_nothing():
    answer = Caller().post(COMMANDS, {"command": "SESSION_LIST"})

    assert answer.status_code == 401
    assert answer.json()["message"] == "Authentication credentials were not provided."
    assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://testserver", 200), ("http://elsewhere", 403), ("http://testserver.evil", 403)],
)
def test_a_page_from_elsewhere_commands_nothing(program: Caller, origin: str, status: int):
    answer = program.post(COMMANDS, {"command": "SESSION_LIST"}, origin=origin)

    assert answer.status_code == status


def test_a_browser_may_command_with_its_token():
    person = User.objects.create_superuser("ann", "", "x")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    page = browser.get("/api/v1/sessions", headers={"Accept": "text/html"})
    token = page.cookies["csrftoken"].value
    body = json.dumps({"command": "SESSION_LIST"})

    with_token = browser.post(COMMANDS, body, "text/plain", headers={"X-CSRFToken": token})
    without = browser.post(COMMANDS, body, "text/plain")

    assert (with_token.status_code, without.status_code) == (200, 403)
    assert without.json()["status"] == "error"


def test_a_key_is_kept_for_commands_too(program: Caller):
    envelope = {"request_id": "r", "command": "SESSION_CREATE", "payload": {"name": "demo"}}

    first = program.post(COMMANDS, envelope, idempotency_key="a")
    second = program.post(COMMANDS, envelope, idempotency_key="a")

    assert first.content == second.content
    assert Session.objects.count() == 1
