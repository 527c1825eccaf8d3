import uuid
from typing import Any

import pytest

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from tests import factories
from tests.calling import Caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"
FACETS = {
    *[
        "id",
        "key",
        "name",
        "state",
        "kind",
        "mode",
        "environment",
        "agent",
        "owner",
        "owner_label",
        "team",
        "context",
        "config",
    ],
    *[
        "memory",
        "metadata",
        "tags",
        "result",
        "error",
        "reason",
        "parent",
        "template",
        "template_version",
        "activation",
    ],
    *[
        "version",
        "start_requested_at",
        "start_deadline_at",
        "created_at",
        "started_at",
        "stopped_at",
    ],
    *[
        "updated_at",
        "last_activity_at",
        "expires_at",
        "deleted_at",
        "component_count",
        "message_count",
    ],
    *["llm_token_count", "status", "conditions", "allowed", "participants", "uptime_seconds"],
}


def test_a_session_is_made_with_all_its_facets(program: Caller):
    draft = {
        "key": "btc",
        "name": "BTC",
        "kind": "metrics",
        "mode": "historical",
        "environment": "test",
        "owner_label": "desk",
        "context": {"agents": ["a"]},
        "config": {"idle_minutes": 5},
        "memory": {"m": 1},
        "metadata": {"x": [1]},
        "expires_at": "2099-01-02T03:04:05+02:00",
    }

    answer = program.post(SESSIONS, draft)

    said = answer.json()
    assert answer.status_code == 201
    assert set(said) == FACETS | {"previous_state"}
    assert {name: said[name] for name in draft} == {
        **draft,
        "expires_at": "2099-01-02T01:04:05Z",
    }
    assert (said["state"], said["team"], said["version"]) == ("created", "default", 1)
    assert said["allowed"] == ["start", "fail", "complete", "end"]
    assert answer.headers["Location"] == f"{SESSIONS}/{said['id']}"
    assert answer.headers["ETag"] == '"1"'


def test_without_a_key_the_id_is_the_key(program: Caller):
    said = program.post(SESSIONS, {}).json()

    assert said["key"] == said["id"]
    assert str(uuid.UUID(said["id"])) == said["id"]


@pytest.mark.parametrize(
    ("draft", "kind"), [({}, "stream"), ({"agent": "x"}, "chat"), ({"kind": "audit"}, "audit")]
)
def test_the_kind_depends_on_the_agent(program: Caller, draft: dict[str, str], kind: str):
    assert program.post(SESSIONS, draft).json()["kind"] == kind


def test_components_may_be_named_or_described(program: Caller):
    feed = {"name": "feed", "role": "feed", "required": False, "topics": ["klines.*"]}

    said = program.post(SESSIONS, {"components": ["sink", feed]}).json()

    components = program.get(f"{SESSIONS}/{said['id']}/components").json()["data"]
    assert said["participants"] == {"present": 0, "required": 1, "total": 2, "missing": ["sink"]}
    assert [(one["name"], one["role"], one["required"], one["topics"]) for one in components] == [
        ("sink", "observer", True, []),
        ("feed", "feed", False, ["klines.*"]),
    ]


def test_a_token_is_shown_only_when_asked_for(program: Caller):
    asked = program.post(SESSIONS, {"token": True}).json()
    unasked = program.post(SESSIONS, {}).json()

    again = program.get(f"{SESSIONS}/{asked['id']}").json()
    assert asked["session_token"].startswith("aeg_")
    assert "session_token" not in unasked
    assert "session_token" not in again


def test_a_key_is_taken_once(program: Caller):
    program.post(SESSIONS, {"key": "one"})

    assert code(program.post(SESSIONS, {"key": "one"})) == (409, "SESSION_ALREADY_EXISTS")


@pytest.mark.parametrize("key", ["start", "Tokens", "-x", "a b", "a" * 129, "ä"])
def test_a_key_that_cannot_be_is_refused(program: Caller, key: str):
    assert code(program.post(SESSIONS, {"key": key})) == (400, "VALIDATION_ERROR")


def test_unknown_members_are_refused_by_name(program: Caller):
    answer = program.post(SESSIONS, {"name": "x", "stats": {}, "colour": "red"})

    assert code(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"] == {"fields": ["colour", "stats"]}
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        3,
        None,
        {"name": 1},
        {"context": []},
        {"kind": "bulk"},
        {"expires_at": "tomorrow"},
        {"expires_at": "2099-01-01T00:00:00"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
        {"name": "x" * 201},
        {"components": [{"role": "feed"}]},
        {"components": [{"name": "a", "colour": "red"}]},
        {"components": [{"name": ""}]},
        {"components": ["a\nb"]},
        {"metadata": {"x": [1e19]}},
        {"components": [{"name": "a", "topics": ["..", "a"]}]},
    ],
)
def test_a_wrong_type_is_refused(program: Caller, body: Any):
    raw = b"null" if body is None else body

    assert program.post(SESSIONS, raw).status_code == 400


def test_a_session_answers_to_its_id_and_its_key(program: Caller):
    made = factories.session(key="both")

    by_id = program.get(f"{SESSIONS}/{made.pk}").json()
    by_key = program.get(f"{SESSIONS}/both").json()

    del by_id["uptime_seconds"], by_key["uptime_seconds"]
    assert by_id == by_key


@pytest.mark.parametrize(
    "address", ["", "/{key}", "/{key}/components", "/{key}/events", "/{key}/topics"]
)
def test_a_last_slash_makes_no_difference(program: Caller, address: str):
    address = SESSIONS + address.format(key=factories.session().key)

    plain, slashed = program.get(address), program.get(f"{address}/")

    assert (plain.status_code, slashed.status_code) == (200, 200)
    assert program.get(f"{address}//").status_code == 404


def test_one_can_ask_for_some_fields(program: Caller):
    made = factories.session(key="k")

    one = program.get(f"{SESSIONS}/k?fields=id,state").json()
    several = program.get(f"{SESSIONS}?fields=key").json()

    assert one == {"id": str(made.pk), "state": "created"}
    assert several == {"data": [{"key": "k"}], "next": ""}
    assert code(program.get(f"{SESSIONS}/k?fields=colour")) == (400, "VALIDATION_ERROR")


def test_conditions_and_participants_are_told(program: Caller):
    made = factories.session(expected=[Expected(name="feed")], key="k")
    program.post(f"{SESSIONS}/k/start")

    said = program.get(f"{SESSIONS}/{made.pk}").json()

    assert (said["state"], said["conditions"]) == ("created", ["starting"])
    assert said["participants"]["missing"] == ["feed"]
    assert "stop" in said["allowed"]


@pytest.mark.parametrize("minutes", [1e18, -1, 0, True, "5", None, [1], 2**63])
def test_an_idle_time_that_means_nothing_is_none(program: Caller, minutes: Any):
    program.post(SESSIONS, {"key": "k", "config": {"idle_minutes": minutes}})

    assert program.get(f"{SESSIONS}/k").json()["conditions"] == []


# Changing and deleting


def test_a_change_moves_the_version(program: Caller):
    factories.session(key="k", metadata={"a": 1})

    answer = program.patch(f"{SESSIONS}/k", {"name": "new", "expires_at": None})

    said = answer.json()
    assert (said["name"], said["metadata"], said["version"]) == ("new", {"a": 1}, 2)
    assert answer.headers["ETag"] == '"2"'


def test_a_change_of_what_has_moved_on_is_refused(program: Caller):
    factories.session(key="k")
    seen = program.get(f"{SESSIONS}/k").headers["ETag"]
    first = program.patch(f"{SESSIONS}/k", {"name": "first"}, if_match=seen)

    second = program.patch(f"{SESSIONS}/k", {"name": "second"}, if_match=seen)

    assert first.status_code == 200
    assert code(second) == (412, "PRECONDITION_FAILED")
    assert Session.objects.get().name == "first"


@pytest.mark.parametrize(("tag", "status"), [("*", 200), ("x", 400), ('"9"', 412), ('W/"1"', 400)])
def test_if_match_takes_what_etag_gives(program: Caller, tag: str, status: int):
    factories.session(key="k")

    assert program.patch(f"{SESSIONS}/k", {"name": "n"}, if_match=tag).status_code == status


@pytest.mark.parametrize("body", [{"state": "running"}, {"key": "x"}, {"name": None}, []])
def test_what_cannot_be_changed_is_refused(program: Caller, body: Any):
    factories.session(key="k")

    assert code(program.patch(f"{SESSIONS}/k", body)) == (400, "VALIDATION_ERROR")


def test_a_closed_session_is_not_changed(program: Caller):
    made = factories.session_in(State.ENDED)

    assert code(program.patch(f"{SESSIONS}/{made.pk}", {"name": "n"})) == (400, "INVALID_STATE")


def test_a_deleted_session_is_gone(program: Caller):
    factories.session(key="k")

    answer = program.delete(f"{SESSIONS}/k")

    assert (answer.status_code, answer.content) == (204, b"")
    assert code(program.get(f"{SESSIONS}/k")) == (404, "SESSION_NOT_FOUND")
    assert program.get(SESSIONS).json()["data"] == []
    assert Session.objects.get().reason == "deleted"
