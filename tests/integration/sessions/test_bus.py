"""Messages to the daemons of seed 003."""

from typing import Any

import pytest
from django.utils import timezone

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from streaming import hints
from streaming.models import AuditEntry
from tests import factories, threads
from tests.calling import Caller, caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db(transaction=True)]

JOEL = {"type": "development", "owner": "human-joel"}
NOT_FOUND = {"success": False, "error": "Session not found"}


def send(program: Caller, daemon: str, type_: str, data: Any = None, **headers: str) -> Any:
    """What a daemon answers; the status is 200 whatever that is."""
    answer = program.post(f"/bus/{daemon}", {"type": type_, "data": data or {}}, **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def created(program: Caller, **more: Any) -> str:
    said: str = send(program, "session", "create", JOEL | more)["data"]["sessionId"]
    return said


def named(row: Session) -> dict[str, str]:
    return {"sessionId": str(row.pk)}


# What comes in


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        [],
        "create",
        {},
        {"type": 1},
        {"type": ""},
        {"type": "x" * 65},
        {"type": "get", "data": []},
        {"type": "get", "data": {"sessionId": 1}},
        {"type": "get", "data": {"sessionId": "a\x00"}},
        {"type": "list", "data": {"filter": {"colour": "red"}}},
        {"type": "create", "data": {"type": "development", "owner": "x" * 201}},
    ],
)
def test_what_is_no_message_is_answered_as_one(program: Caller, body: Any):
    answer = program.post("/bus/session", body)

    assert answer.status_code == 200
    assert set(answer.json()) == {"success", "error"}
    assert answer.json()["success"] is False
    assert not Session.objects.exists()


@pytest.mark.parametrize("address", ["/bus/session", "/bus/session/"])
@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_is_json_whatever_it_is_called(program: Caller, address: str, kind: str):
    answer = program.post(address, {"type": "list"}, content_type=kind)

    assert answer.json() == {"success": True, "data": []}


def test_an_unknown_daemon_is_told(program: Caller):
    assert send(program, "weather", "get") == {"success": False, "error": "Unknown daemon"}


@pytest.mark.parametrize("type_", ["get", "activate", "deactivate", "end"])
def test_a_message_without_a_session_says_so(program: Caller, type_: str):
    said = send(program, "session", type_)

    assert said == {"success": False, "error": f"Missing sessionId for operation: {type_}"}


@pytest.mark.parametrize(
    "data", [{}, {"type": "test"}, {"owner": "ann"}, {"type": "", "owner": ""}]
)
def test_a_session_has_a_type_and_an_owner(program: Caller, data: dict[str, str]):
    said = send(program, "session", "create", data)

    assert said == {"success": False, "error": "type and owner are required"}


def test_a_type_is_one_of_four_in_any_case(program: Caller):
    session = created(program, type="PERSONA")
    said = send(program, "session", "create", JOEL | {"type": "holiday"})

    assert Session.objects.get().environment == "persona"
    assert send(program, "session", "get", {"sessionId": session})["data"]["type"] == "persona"
    assert said["error"] == "type must be one of development, test, production, persona."


def test_a_key_is_kept_for_messages_too(program: Caller):
    first = send(program, "session", "create", JOEL, idempotency_key="a")
    second = send(program, "session", "create", JOEL, idempotency_key="a")

    assert first == second
    assert Session.objects.count() == 1


# Who may


def test_nobody_is_not_let_onto_the_bus():
    answer = Caller().post("/bus/session", {"type": "list"})

    assert answer.status_code == 401
    assert answer.json() == {
        "success": False,
        "error": "Authentication credentials were not provided.",
    }


def test_a_page_from_elsewhere_is_not_let_onto_the_bus(program: Caller):
    answer = program.post("/bus/session", {"type": "list"}, origin="http://elsewhere")

    assert (answer.status_code, answer.json()["success"]) == (403, False)


@pytest.mark.parametrize(
    ("daemon", "type_", "scopes"),
    [
        ("session", "create", ["sessions:read", "sessions:control"]),
        ("session", "create", ["sessions:read", "sessions:write"]),
        ("session", "get", ["sessions:control"]),
        ("session", "list", ["sessions:control"]),
        ("session", "activate", ["sessions:read"]),
        ("session", "deactivate", ["sessions:read"]),
        ("session", "end", ["sessions:read"]),
        ("directory", "get", ["sessions:control"]),
        ("artifact", "get", ["sessions:read"]),
        ("router", "context", ["sessions:read"]),
        ("router", "daemons", ["sessions:control"]),
        ("chat", "participants", ["sessions:read"]),
        ("chat", "context", ["sessions:read"]),
    ],
)
def test_a_message_needs_its_scope(daemon: str, type_: str, scopes: list[str]):
    made = factories.session_in(State.RUNNING)

    said = send(caller(scopes), daemon, type_, JOEL | named(made))

    assert said["success"] is False
    assert said["error"].startswith("This needs the scope ")
    assert list(Session.objects.values_list("state", flat=True)) == ["running"]


@pytest.mark.parametrize(
    ("daemon", "type_"),
    [
        *[("session", type_) for type_ in ("get", "activate", "deactivate", "end")],
        *[("directory", "get"), ("artifact", "get"), ("router", "context"), ("chat", "context")],
    ],
)
def test_a_session_of_another_team_is_not_there(daemon: str, type_: str):
    made = factories.session_in(State.RUNNING)

    assert send(caller(team="others"), daemon, type_, named(made)) == NOT_FOUND
    assert send(caller(team="others"), "session", "list")["data"] == []


def test_a_refusal_to_make_a_session_is_in_the_audit():
    send(caller(["sessions:write"]), "session", "create", JOEL)

    entries = AuditEntry.objects.filter(command="session.create")
    assert [(one.outcome, one.transport) for one in entries] == [("refused", "rest")]


# One truth


@pytest.mark.parametrize(
    ("state", "is_active"),
    [
        (State.CREATED, False),
        (State.RUNNING, True),
        (State.PAUSED, False),
        (State.STOPPED, False),
        (State.FAILED, False),
    ],
)
def test_a_session_from_anywhere_is_shown(program: Caller, state: State, is_active: bool):
    made = factories.session_in(state, owner_label="ai-claude", key="mine")

    said = send(program, "session", "get", {"sessionId": "mine"})["data"]

    assert (said["id"], said["owner"], said["isActive"]) == (str(made.pk), "ai-claude", is_active)
    assert (said["aegisState"], said["conditions"]) == (state.value, [])
    assert [one["id"] for one in send(program, "session", "list")["data"]] == [str(made.pk)]


@pytest.mark.parametrize("state", [State.COMPLETED, State.ENDED])
@pytest.mark.parametrize("type_", ["get", "activate", "deactivate", "end"])
def test_a_closed_session_is_not_found(program: Caller, state: State, type_: str):
    made = factories.session_in(state)

    assert send(program, "session", type_, named(made)) == NOT_FOUND
    assert send(program, "session", "list")["data"] == []


@pytest.mark.parametrize("state", [State.CREATED, State.PAUSED, State.STOPPED, State.FAILED])
def test_to_deactivate_what_is_inactive_is_done_and_changes_nothing(program: Caller, state: State):
    made = factories.session_in(state)
    before = factories.events(made)

    said = send(program, "session", "deactivate", named(made))

    assert said == {"success": True, "aegisState": state.value, "conditions": []}
    assert factories.events(made) == before
    # Where there is a pause it is one, and nothing else moves.
    command = "session.pause" if state is State.PAUSED else "session.keep"
    assert AuditEntry.objects.filter(command=command, outcome="ok").exists()


@pytest.mark.parametrize("state", [State.CREATED, State.PAUSED, State.STOPPED, State.FAILED])
def test_every_open_session_can_be_activated_and_ended(program: Caller, state: State):
    made = factories.session_in(state)

    activated = send(program, "session", "activate", named(made))
    ended = send(program, "session", "end", named(made))

    assert (activated["aegisState"], ended["aegisState"]) == ("running", "ended")


def test_a_session_is_made_and_started_in_one(program: Caller):
    row = Session.objects.get(pk=created(program))

    assert (row.kind, row.mode, row.state, row.activation) == ("custom", "realtime", "running", 1)
    assert factories.events(row) == ["session.created", "session.activated"]
    assert list(AuditEntry.objects.filter(session_id=row.pk).values_list("command", flat=True)) == [
        "session.create"
    ]


def test_to_activate_is_answered_when_it_is_settled(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])

    with threads.beside(lambda: send(program, "session", "activate", named(made))) as answer:
        starting = Session.objects.starting().filter(pk=made.pk)
        assert hints.wait_until(starting.exists, timeout_seconds=20)
        factories.readied(made, "feed")
        said = answer()

    assert said == {"success": True, "aegisState": "running", "conditions": []}


def test_who_is_missing_for_too_long_fails_it(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)
    Session.objects.update(start_deadline_at=timezone.now())

    said = send(program, "session", "activate", named(made))

    assert said == {"success": False, "error": "Not ready in time: feed."}


def test_to_deactivate_withdraws_a_start_that_waits(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)

    said = send(program, "session", "deactivate", named(made))

    assert (said["success"], said["aegisState"]) == (True, "created")
    assert factories.events(made)[-1] == "session.start_withdrawn"


@pytest.mark.parametrize(
    ("wanted", "owners"),
    [
        (None, ["c", "b", "a"]),
        ({}, ["c", "b", "a"]),
        ({"type": "Test"}, ["b"]),
        ({"owner": "c"}, ["c"]),
        ({"isActive": True}, ["c", "b"]),
        ({"isActive": False}, ["a"]),
        ({"isActive": False, "type": "test"}, []),
    ],
)
def test_a_list_is_filtered_the_last_active_first(
    program: Caller, wanted: dict[str, Any] | None, owners: list[str]
):
    first = created(program, owner="a", type="production")
    send(program, "session", "deactivate", {"sessionId": first})
    created(program, owner="b", type="test")
    created(program, owner="c")

    said = send(program, "session", "list", {"filter": wanted})["data"]

    assert [one["owner"] for one in said] == owners


# Shared sessions


@pytest.mark.parametrize("more", [{"owner": "shared"}, {"isShared": True}])
def test_a_shared_session_is_joined(program: Caller, more: dict[str, Any]):
    first = created(program, **more)

    assert created(program, **more) == first
    assert created(program, owner="shared") == first
    assert created(program) != first
    assert created(program, **more, type="production") != first
    others = send(caller(team="others"), "session", "create", JOEL | more)
    assert others["data"]["sessionId"] != first


@pytest.mark.parametrize("type_", ["deactivate", "end"])
def test_a_shared_session_that_does_not_run_is_not_joined(program: Caller, type_: str):
    first = created(program, owner="shared")
    send(program, "session", type_, {"sessionId": first})

    second = created(program, owner="shared")

    assert second != first
    assert created(program, owner="shared") == second


def test_those_that_share_at_the_same_time_share_one(program: Caller):
    found = threads.together([lambda: created(program, owner="shared") for _ in range(8)])

    assert len(set(found)) == 1
    assert Session.objects.count() == 1
