import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.models import Session
from sessions.selectors import lists
from streaming.selectors import pages
from tests import factories
from tests.calling import Caller, caller, code

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
    *["llm_token_count", "conditions", "allowed", "participants", "uptime_seconds"],
}


@pytest.fixture
def program() -> Caller:
    return caller()


def keys(response: Any) -> list[str]:
    return [one["key"] for one in response.json()["data"]]


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


# Lists


def test_the_newest_come_first_page_by_page(program: Caller):
    made = [factories.session(key=f"k{number}").key for number in range(5)]

    pages, cursor = [], ""
    while True:
        answer = program.get(f"{SESSIONS}?limit=2&cursor={cursor}")
        pages.append(keys(answer))
        cursor = answer.json()["next"]
        if not cursor:
            break

    assert pages == [made[:2:-1], made[2:0:-1], [made[0]]]


def test_what_comes_meanwhile_neither_repeats_nor_hides(program: Caller):
    for number in range(4):
        factories.session(key=f"k{number}")
    first = program.get(f"{SESSIONS}?limit=2").json()
    factories.session(key="new")
    Session.objects.filter(key="k1").delete()

    second = program.get(f"{SESSIONS}?limit=2&cursor={first['next']}").json()

    assert [one["key"] for one in second["data"]] == ["k0"]


def test_sessions_of_one_moment_are_told_apart(program: Caller):
    at = timezone.now()
    for number in range(5):
        factories.session(key=f"k{number}")
    Session.objects.update(created_at=at)

    first = program.get(f"{SESSIONS}?limit=3&ordering=created_at").json()
    second = program.get(f"{SESSIONS}?ordering=created_at&cursor={first['next']}").json()

    found = [one["key"] for one in (*first["data"], *second["data"])]
    assert sorted(found) == [f"k{number}" for number in range(5)]


def test_the_order_can_be_by_activity(program: Caller):
    for number in range(3):
        factories.session(key=f"k{number}")
    Session.objects.filter(key="k0").update(last_activity_at=timezone.now() + timedelta(hours=1))

    found = program.get(f"{SESSIONS}?ordering=-last_activity_at&fields=key")

    assert keys(found) == ["k0", "k2", "k1"]


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "eyJ9:1:2", "%00", "%ff"])
def test_a_cursor_that_was_never_given_is_refused(program: Caller, cursor: str):
    assert code(program.get(f"{SESSIONS}?cursor={cursor}")) == (400, "VALIDATION_ERROR")


def test_a_cursor_of_another_order_is_refused(program: Caller):
    factories.session()
    factories.session()
    cursor = program.get(f"{SESSIONS}?limit=1").json()["next"]

    answer = program.get(f"{SESSIONS}?ordering=created_at&cursor={cursor}")

    assert code(answer) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=running", ["two"]),
        ("state=running,created", ["three", "two", "one"]),
        ("kind=audit", ["three"]),
        ("mode=historical", ["one"]),
        ("environment=production", ["two"]),
        ("key=one", ["one"]),
        ("name=Two", ["two"]),
        ("name=two", []),
        ("owner=desk", ["three"]),
        ("search=TWO", ["two"]),
        ("search=DES", ["three"]),
        ("search=o&state=created", ["one"]),
    ],
)
def test_filters_narrow_the_list(program: Caller, query: str, found: list[str]):
    factories.session(key="one", mode=Mode.HISTORICAL)
    factories.session_in(State.RUNNING, key="two", name="Two", environment=Environment.PRODUCTION)
    factories.session(key="three", kind=Kind.AUDIT, owner_label="desk")

    assert keys(program.get(f"{SESSIONS}?{query}")) == found


@pytest.mark.parametrize(
    "query",
    [
        "state=bad",
        "kind=stream,bad",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=99999999999999999999999999",
        "ordering=name",
        "colour=red",
        "search=%00",
        "cursor=%00",
    ],
)
def test_a_parameter_that_cannot_be_is_refused(program: Caller, query: str):
    assert code(program.get(f"{SESSIONS}?{query}")) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "address", ["", "?state=created", "/k0", "/k0/components", "/k0/events", "/k0/topics"]
)
def test_more_rows_cost_no_more_queries(program: Caller, address: str):
    counts = []
    program.get(SESSIONS)
    for number in (1, 3):
        for index in range(Session.objects.count(), number):
            expected = [Expected(name=f"c{one}") for one in range(number)]
            factories.session(key=f"k{index}", expected=expected)
        with CaptureQueriesContext(connection) as found:
            assert program.get(SESSIONS + address).status_code == 200
        counts.append(len(found))

    assert counts[0] == counts[1]


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
    assert keys(program.get(SESSIONS)) == []
    assert Session.objects.get().reason == "deleted"


# Who may


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/start"),
        ("POST", "/resume"),
        ("POST", "/pause"),
        ("POST", "/stop"),
        ("POST", "/complete"),
        ("POST", "/end"),
        ("POST", "/tokens"),
        ("GET", "/components"),
        ("GET", "/components/a"),
        ("GET", "/events"),
        ("GET", "/topics"),
    ],
)
def test_another_team_sees_what_nobody_would(method: str, rest: str):
    made = factories.session()
    stranger = caller(team="strangers")
    nothing = uuid.uuid4()

    there = stranger.send(method, f"{SESSIONS}/{made.pk}{rest}", x_request_id="same")
    nowhere = stranger.send(method, f"{SESSIONS}/{nothing}{rest}", x_request_id="same")

    assert code(there) == (404, "SESSION_NOT_FOUND")
    assert there.content.replace(str(made.pk).encode(), str(nothing).encode()) == nowhere.content


def test_a_list_shows_only_the_own_team(program: Caller):
    factories.session(key="mine")
    factories.session(key="theirs", team=factories.team("strangers").name)

    assert keys(program.get(SESSIONS)) == ["mine"]


@pytest.mark.parametrize(
    ("method", "rest", "scope"),
    [
        ("GET", "", "sessions:read"),
        ("POST", "", "sessions:write"),
        ("GET", "/k", "sessions:read"),
        ("PATCH", "/k", "sessions:write"),
        ("DELETE", "/k", "sessions:control"),
        ("POST", "/k/start", "sessions:control"),
        ("POST", "/k/pause", "sessions:control"),
        ("POST", "/k/stop", "sessions:control"),
        ("POST", "/k/complete", "sessions:control"),
        ("POST", "/k/end", "sessions:control"),
        ("POST", "/k/tokens", "sessions:control"),
        ("GET", "/k/components", "components:read"),
        ("GET", "/k/events", "events:read"),
        ("GET", "/k/topics", "topics:read"),
    ],
)
def test_each_address_needs_its_scope(method: str, rest: str, scope: str):
    factories.session(key="k")

    answer = caller(["audit:read"]).send(method, SESSIONS + rest)

    assert code(answer) == (403, "PERMISSION_DENIED")
    assert answer.json()["error"]["details"] == {"scope": scope}


@pytest.mark.parametrize("secret", ["", "nonsense", "aeg_0000000000_x", "aeg_%00_x"])
def test_nobody_may_nothing(secret: str):
    answer = Caller(secret).get(SESSIONS)

    assert code(answer) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="aegis"'


def test_the_request_id_goes_in_and_out(program: Caller):
    own = program.get(f"{SESSIONS}/none", x_request_id="my-id")
    bad = program.get(f"{SESSIONS}/none", x_request_id="two words")

    assert own.headers["X-Request-ID"] == own.json()["error"]["request_id"] == "my-id"
    assert bad.headers["X-Request-ID"] == bad.json()["error"]["request_id"] != "two words"


def test_a_method_that_is_not_there_is_told(program: Caller):
    assert code(program.send("PUT", SESSIONS, {})) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("order", ["-created_at", "-last_activity_at"])
def test_a_page_is_read_in_its_order_and_not_sorted(order: str):
    mine = lists.readable(factories.member(factories.team("default")))
    page = pages.ordered(mine, order=order, limit=50)

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A small table is sorted sooner than an index is opened.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

    plan = page.explain()
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
