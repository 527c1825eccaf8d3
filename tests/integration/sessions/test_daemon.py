import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from components.services import standing
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import creation, lifecycle
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller

pytestmark = pytest.mark.django_db

COMMANDS = "/aegis/commands"


@pytest.fixture
def program() -> Caller:
    return caller()


# Envelopes


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


@pytest.mark.parametrize("word", ["SESSION_RESTART", "NONSENSE", "ä"])
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


# Sessions


def test_a_created_session_is_realtime_and_a_stream(program: Caller):
    said = program.command("SESSION_CREATE", {"name": "demo"})["data"]["session"]

    made = Session.objects.get()
    assert (said["mode"], said["state"], said["aegis_state"]) == (
        "realtime",
        "initialized",
        "created",
    )
    assert (made.kind, made.environment, made.name) == ("stream", "development", "demo")


@pytest.mark.parametrize("mode", ["Historical", "HISTORICAL"])
def test_a_mode_may_be_in_any_case(program: Caller, mode: str):
    said = program.command("SESSION_CREATE", {"name": "demo", "mode": mode})

    assert said["data"]["session"]["mode"] == "historical"


@pytest.mark.parametrize(
    ("word", "payload", "message"),
    [
        ("SESSION_CREATE", {}, "Session creation failed: missing required field: name"),
        (
            "SESSION_CREATE",
            {"name": "x", "mode": "live"},
            "Session creation failed: invalid mode, must be 'realtime' or 'historical'",
        ),
        (
            "SESSION_CREATE",
            {"name": "x", "paths": ["/bin/sh"]},
            "Session creation failed: /bin/sh is not a registered program",
        ),
        ("SESSION_START", {}, "Could not start session: missing required field: session_id"),
        ("SESSION_RESUME", {"session_id": "x"}, "Could not resume session: Session not found"),
        ("SESSION_STOP", {"session_id": None}, "Could not stop session: missing required field"),
        ("SESSION_STATE", {"session_id": "x"}, "Session not found"),
        ("SESSION_DELETE", {"session_id": "x"}, "Deletion failed: Session not found"),
        ("SESSION_ATTACH", {"session_id": "x"}, "Attach failed: Session not found"),
        ("COMPONENT_LIST", {"session_id": "x"}, "Session not found"),
        ("SESSION_LIST", {"include_closed": "yes"}, "Could not list sessions: Expected `bool`"),
    ],
)
def test_a_refusal_says_why(program: Caller, word: str, payload: Any, message: str):
    said = program.command(word, payload)

    assert said["status"] == "error"
    assert said["message"].startswith(message)


@pytest.mark.parametrize("reference", ["demo", "the-key", "{id}", "{beginning}"])
def test_a_session_answers_to_id_beginning_and_name(program: Caller, reference: str):
    made = factories.session(name="demo", key="the-key")
    reference = reference.format(id=made.pk, beginning=str(made.pk)[:6])

    said = program.command("SESSION_STATE", {"session_id": reference})

    assert said["data"]["session"]["id"] == str(made.pk)


def test_a_name_of_two_is_refused(program: Caller):
    factories.session(name="demo")
    factories.session(name="demo")

    said = program.command("SESSION_STATE", {"session_id": "demo"})

    assert (said["status"], "data" in said) == ("error", False)
    assert said["message"] == "More than one session answers to demo; use the id."


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        (State.CREATED, "initialized", "created"),
        (State.RUNNING, "running", "stopped"),
        (State.PAUSED, "stopped", "stopped"),
        (State.STOPPED, "stopped", "stopped"),
        (State.FAILED, "error", "stopped"),
        (State.COMPLETED, "stopped", "completed"),
        (State.ENDED, "stopped", "ended"),
    ],
)
def test_a_stop_is_always_done(program: Caller, state: State, before: str, after: str):
    made = factories.session_in(state)

    said = program.command("SESSION_STOP", {"session_id": str(made.pk)})

    made.refresh_from_db()
    assert (said["status"], said["data"]["previous_state"]) == ("ok", before)
    assert (said["data"]["aegis_state"], made.state) == (after, after)
    assert AuditEntry.objects.filter(command="session.stop", outcome="ok").exists()


def test_a_stop_withdraws_a_start_that_waits(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)

    said = program.command("SESSION_STOP", {"session_id": str(made.pk)})

    made.refresh_from_db()
    assert said["data"]["current_state"] == "initialized"
    assert (made.is_starting, factories.events(made)[-1]) == (False, "session.start_withdrawn")


def test_a_stop_needs_its_scope_also_where_nothing_stops():
    made = factories.session()

    said = caller(["sessions:read"]).command("SESSION_STOP", {"session_id": str(made.pk)})

    assert said["message"] == "Could not stop session: This needs the scope sessions:control."
    assert AuditEntry.objects.get(command="session.stop").outcome == "refused"


@pytest.mark.parametrize("state", [State.COMPLETED, State.ENDED])
@pytest.mark.parametrize("word", ["SESSION_START", "SESSION_ATTACH", "SESSION_RESUME"])
def test_a_closed_session_is_not_started(program: Caller, state: State, word: str):
    made = factories.session_in(state)

    said = program.command(word, {"session_id": str(made.pk), "components": ["x"]})

    assert said["status"] == "error"
    assert said["data"]["session_id"] == str(made.pk)


def test_a_start_again_goes_on(program: Caller):
    made = factories.session_in(State.STOPPED)

    first = program.command("SESSION_RESUME", {"session_id": str(made.pk)})
    second = program.command("SESSION_START", {"session_id": str(made.pk)})

    assert (first["command"], first["data"]["previous_state"]) == ("SESSION_RESUME", "stopped")
    assert second["data"]["previous_state"] == second["data"]["current_state"] == "running"


def test_a_refused_start_tells_nothing_to_whom_may_not_read(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])

    said = caller(["topics:read"]).command("SESSION_START", {"session_id": str(made.pk)})

    assert said["data"] == {
        "session_id": str(made.pk),
        "previous_state": None,
        "current_state": None,
        "components": [],
    }


def test_closed_sessions_are_listed_only_when_asked_for(program: Caller):
    for state in State:
        factories.session_in(state, name=state.value)

    def names(payload: dict[str, Any]) -> list[str]:
        return [one["name"] for one in program.command("SESSION_LIST", payload)["data"]["sessions"]]

    everything = [state.value for state in State][::-1]
    assert names({"include_closed": True}) == everything
    assert names({}) == [name for name in everything if name not in {"completed", "ended"}]


def test_a_deleted_session_is_gone(program: Caller):
    made = factories.session(name="demo")

    said = program.command("SESSION_DELETE", {"session_id": "demo"})

    assert said == {
        "request_id": "r-1",
        "command": "SESSION_DELETE",
        "status": "ok",
        "message": "Session deleted",
        "data": {"session_id": str(made.pk), "session_name": "demo"},
    }
    assert program.command("SESSION_STATE", {"session_id": "demo"})["message"] == (
        "Session not found"
    )


@pytest.mark.parametrize(
    "word", ["SESSION_STATE", "SESSION_START", "SESSION_STOP", "SESSION_DELETE", "COMPONENT_LIST"]
)
def test_another_teams_session_is_not_found(word: str):
    made = factories.session(name="demo")

    said = caller(team="strangers").command(word, {"session_id": str(made.pk)})

    assert said["message"].endswith("Session not found")


# Components


def test_components_are_attached_by_name_or_description(program: Caller):
    made = factories.session(expected=[Expected(name="old")])
    feed = {"name": "feed", "role": "feed", "required": False, "topics": ["klines.**"]}
    payload = {"session_id": str(made.pk), "components": ["sink", feed]}

    said = program.command("SESSION_ATTACH", payload)["data"]

    assert [(one["name"], one["state"]) for one in said["attached_components"]] == [
        ("sink", "pending"),
        ("feed", "pending"),
    ]
    assert said["session_token"].startswith("aeg_")
    listed = program.command("COMPONENT_LIST", {"session_id": str(made.pk)})["data"]
    assert set(listed) == {"session_id", "components", "aegis_state", "conditions"}
    assert listed["components"][2] == {
        "id": str(made.components.get(name="feed").pk),
        "name": "feed",
        "role": "feed",
        "required": False,
        "state": "pending",
        "topics": ["klines.**"],
        "last_heartbeat_at": None,
        "aegis_state": "pending",
    }


def test_attaching_nothing_is_refused(program: Caller):
    made = factories.session()

    said = program.command("SESSION_ATTACH", {"session_id": str(made.pk)})

    assert said["message"] == "Attach failed: At least one component is required."


def test_components_have_the_words_of_the_seed(program: Caller):
    made = factories.session()
    factories.registered(made, "registered")
    factories.readied(made, "ready")
    for name in ("lost", "failed"):
        one = factories.readied(made, name)
        standing.lose(component_id=str(one.pk), fence=one.fence, reason="silence")
    made.components.filter(name="failed").update(lost_at=timezone.now() - timedelta(minutes=5))
    creation.attach(principal=factories.OPERATOR, session=made, expected=[Expected(name="pending")])

    said = program.command("SESSION_STATE", {"session_id": str(made.pk)})["data"]["components"]

    assert {one["name"]: (one["state"], one["aegis_state"]) for one in said} == {
        "registered": ("pending", "registered"),
        "ready": ("pending", "ready"),
        "lost": ("running", "lost"),
        "failed": ("failed", "lost"),
        "pending": ("pending", "pending"),
    }


@pytest.mark.parametrize("word", ["COMPONENT_GET", "COMPONENT_DESCRIBE"])
@pytest.mark.parametrize("reference", ["prices", "pri", ""])
def test_a_component_is_told_by_name_or_alone(program: Caller, word: str, reference: str):
    made = factories.session(expected=[Expected(name="prices")])

    said = program.command(word, {"session_id": str(made.pk), "component_id": reference})["data"]

    assert said["session_id"] == str(made.pk)
    assert said["component"]["name"] == "prices"
    assert said["component"]["uptime_seconds"] == 0


@pytest.mark.parametrize("word", ["COMPONENT_GET", "COMPONENT_DESCRIBE"])
def test_a_component_that_is_not_there_is_told_with_its_session(program: Caller, word: str):
    made = factories.session(name="demo")

    said = program.command(word, {"session_id": "demo", "component_id": "none"})

    assert said["message"] == "Component not found in session"
    assert said["data"] == {"session_id": str(made.pk)}


def test_health_counts_what_is_there(program: Caller):
    well = program.command("HEALTH_CHECK")["data"]
    factories.session_in(State.RUNNING)
    factories.session_in(State.ENDED)
    factories.session_in(State.FAILED)

    ill = program.command("HEALTH_CHECK")["data"]

    assert (well["status"], well["sessions"]["total"]) == ("healthy", 0)
    assert ill["status"] == "degraded"
    assert ill["sessions"] == {
        "total": 3,
        "initialized": 0,
        "running": 1,
        "stopped": 1,
        "error": 1,
    }
