from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]


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
    assert said["message"] == (
        "multiple sessions found with name 'demo' (2 matches). Use session ID for disambiguation"
    )


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


@pytest.mark.parametrize("word", ["SESSION_STATE", "SESSION_DELETE", "COMPONENT_LIST"])
def test_which_of_several_is_meant_is_asked(program: Caller, word: str):
    for _ in range(3):
        factories.session(name="twin")

    said = program.command(word, {"session_id": "twin"})

    assert said["message"].endswith(
        "multiple sessions found with name 'twin' (3 matches). Use session ID for disambiguation"
    )


def test_the_beginning_of_an_id_is_enough_while_no_other_has_it(program: Caller):
    for number in (1, 2):
        pk = UUID(f"abcd000{number}-0000-4000-8000-000000000000")
        Session.objects.create(id=pk, key=str(pk), team=factories.team("default"))

    one = program.command("SESSION_STATE", {"session_id": "abcd0001"})
    several = program.command("SESSION_STATE", {"session_id": "abcd"})

    assert one["data"]["session"]["id"] == "abcd0001-0000-4000-8000-000000000000"
    assert several["message"] == (
        "multiple sessions found with id prefix 'abcd' (2 matches)."
        " Use session ID for disambiguation"
    )


def test_a_key_of_several_teams_is_ambiguous():
    for name in ("one", "two"):
        factories.session(key="same", team=factories.team(name).name)
    person = User.objects.create_superuser("ann", "", "x")
    browser = Client()
    browser.force_login(person)
    page = {"Origin": "http://testserver"}

    said = browser.post(
        "/aegis/commands",
        {"command": "SESSION_STATE", "payload": {"session_id": "same"}},
        "application/json",
        headers=page,
    ).json()

    assert said["message"] == (
        "multiple sessions found with key 'same'. Use session ID for disambiguation"
    )
