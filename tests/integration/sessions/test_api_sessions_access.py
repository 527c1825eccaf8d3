import uuid
from typing import Any

import pytest

from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"


def keys(response: Any) -> list[str]:
    return [one["key"] for one in response.json()["data"]]


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
