"""Whatever comes, the answer is a refusal with a body of ours and never a failure."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.services.registry import Expected
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"
COMMANDS = "/aegis/commands"
ADDRESSES = {
    "sessions": ("POST", SESSIONS),
    "change": ("PATCH", f"{SESSIONS}/k"),
    **{
        verb: ("POST", f"{SESSIONS}/k/{verb}")
        for verb in [
            "start",
            "resume",
            "pause",
            "stop",
            "complete",
            "fail",
            "end",
            "attach",
            "tokens",
        ]
    },
    "publish": ("POST", f"{SESSIONS}/k/topics/a"),
    "credentials": ("POST", "/api/v1/credentials"),
}
DEEP = b"[" * 100_000
RAW = {
    "nothing but spaces": b"  \n ",
    "half": b'{"name": ',
    "two": b"{} {}",
    "a byte that is not UTF-8": b'{"name": "\xff"}',
    "a lone surrogate": rb'{"name": "\ud800"}',
    "a NUL": rb'{"name": "a\u0000b"}',
    "NaN": b'{"memory": {"x": NaN}}',
    "infinity": b'{"memory": {"x": 1e999}}',
    "an integer beyond 64 bits": b'{"memory": {"x": 18446744073709551616}}',
    "a key twice": b'{"name": "a", "name": "b"}',
    "deep": b'{"memory": ' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}",
    "very deep": DEEP,
    "no JSON": b"name=x&y=z",
    "a BOM": b"\xef\xbb\xbf{}",
}

words = st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
MEMBERS = [
    *[
        "key",
        "name",
        "kind",
        "mode",
        "environment",
        "agent",
        "owner_label",
        "team",
        "context",
        "config",
        "memory",
    ],
    *[
        "metadata",
        "expires_at",
        "components",
        "token",
        "reason",
        "result",
        "error",
        "patterns",
        "component",
    ],
    *[
        "lifetime_seconds",
        "scopes",
        "records",
        "session_id",
        "component_id",
        "paths",
        "include_closed",
    ],
]
bodies = st.dictionaries(st.sampled_from(MEMBERS) | words, values, max_size=6) | values
COMMAND_WORDS = [
    *["SESSION_CREATE", "SESSION_ATTACH", "SESSION_STOP", "SESSION_LIST", "SESSION_STATE"],
    *["SESSION_START", "SESSION_RESUME", "SESSION_DELETE", "COMPONENT_LIST", "COMPONENT_GET"],
    *["COMPONENT_DESCRIBE", "HEALTH_CHECK"],
]
generously = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def program() -> Caller:
    factories.session(key="k", name="named", expected=[Expected(name="feed", required=False)])
    return caller()


def is_ours(answer: Any) -> bool:
    """Whether a refusal has the canonical body."""
    error = answer.json()["error"]
    return set(error) == {"code", "message", "details", "request_id"}


@pytest.mark.parametrize("what", RAW)
@pytest.mark.parametrize("where", ["sessions", "change", "start", "fail", "credentials"])
def test_what_is_no_json_of_ours_is_refused(program: Caller, where: str, what: str):
    method, address = ADDRESSES[where]

    answer = program.send(method, address, RAW[what])

    if what == "nothing but spaces" and where not in {"fail", "credentials"}:
        assert answer.status_code < 300
    else:
        assert code(answer) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("where", ["sessions", "change", "end"])
def test_what_is_too_large_is_refused(program: Caller, where: str):
    method, address = ADDRESSES[where]
    body = b'{"metadata": {"x": "' + b"x" * (2 * 1024 * 1024) + b'"}}'

    answer = program.send(method, address, body)

    assert code(answer) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_is_not_said_to_be_json_is_refused(program: Caller, kind: str):
    answer = program.post(SESSIONS, {"name": "x"}, content_type=kind)

    assert code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "address",
    [
        f"{SESSIONS}/%00",
        f"{SESSIONS}/k/components/%00",
        f"{SESSIONS}/k/topics/%00",
        f"{SESSIONS}/%00/events",
        "/api/v1/components/%00",
        "/api/v1/none",
    ],
)
def test_an_address_that_cannot_be_is_not_there(program: Caller, address: str):
    answer = program.get(address)

    assert answer.status_code == 404
    assert is_ours(answer)


@pytest.mark.parametrize("reference", ["%ff", "%ed%a0%80", "'", "a" * 5000, "{}", "urn:uuid:1"])
def test_a_reference_that_means_nothing_is_not_found(program: Caller, reference: str):
    assert code(program.get(f"{SESSIONS}/{reference}")) == (404, "SESSION_NOT_FOUND")


@generously
@given(where=st.sampled_from(sorted(ADDRESSES)), body=bodies)
def test_no_body_makes_the_interface_fail(program: Caller, where: str, body: Any):
    method, address = ADDRESSES[where]

    answer = program.send(method, address, json.dumps(body).encode())

    # Without a server nothing can be published, and that is what it says.
    assert answer.status_code < 500 or code(answer) == (503, "SERVICE_UNAVAILABLE")
    assert answer.status_code < 400 or is_ours(answer)


@generously
@given(raw=st.binary(max_size=40))
def test_no_bytes_make_the_interface_fail(program: Caller, raw: bytes):
    for address in (f"{SESSIONS}/k/pause", COMMANDS):
        assert program.post(address, raw).status_code in {200, 400}


@generously
@given(
    address=st.sampled_from(["", "/k/events", "/k/topics/a"]),
    query=st.dictionaries(
        st.sampled_from(
            [
                *["limit", "cursor", "ordering", "fields", "state", "owner", "search"],
                "after",
                "start",
            ]
        )
        | words,
        words,
        max_size=3,
    ),
)
def test_no_query_makes_the_interface_fail(program: Caller, address: str, query: dict[str, str]):
    answer = program.client.get(SESSIONS + address, query, headers=program.headers)

    assert answer.status_code in {200, 400} or code(answer) == (503, "SERVICE_UNAVAILABLE")


@generously
@given(word=st.sampled_from(COMMAND_WORDS), payload=bodies)
def test_no_payload_makes_a_command_fail(program: Caller, word: str, payload: Any):
    said = {"request_id": "r", "command": word, "payload": payload}

    answer = program.post(COMMANDS, json.dumps(said).encode())

    assert answer.status_code in {200, 400}
    assert answer.json()["status"] in {"ok", "error"}


@generously
@given(body=bodies)
def test_no_envelope_makes_the_commands_fail(program: Caller, body: Any):
    answer = program.post(COMMANDS, json.dumps(body).encode())

    assert answer.status_code in {200, 400}
    assert set(answer.json()) >= {"request_id", "command", "status"}
