"""Bodies that are no bodies: answered 400 or 413 with a body, and never a failure of the server."""

import contextlib
import json
import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e import remote
from tests.e2e.places import DAPHNE, SQLITE
from tests.e2e.remote import assert_no_traceback

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE], indirect=True, scope="module"),
]

COMMANDS, SESSIONS = "/aegis/commands", "/api/v1/sessions"
PATHS = [COMMANDS, SESSIONS]
MAX_BODY = 2 * 1024 * 1024
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
NO_BODIES = {
    "half an object": b'{"command":',
    "two objects": b"{}{}",
    "a list": b"[]",
    "a word": b'"SESSION_LIST"',
    "null": b"null",
    "a number": b"5",
    "not a number": b'{"command":NaN}',
    "a number that none can hold": b'{"name":1e999}',
    "no UTF-8": b'{"command":"\xff\xfe"}',
    "UTF-16": '{"command":"SESSION_LIST"}'.encode("utf-16"),
    "zeros": bytes(100),
    "deep": DEEP,
    "deep list": b"[" * 5000 + b"]" * 5000,
    "escaped NUL": b'{"command":"a\\u0000b","name":"a\\u0000b"}',
    "NUL": b'{"command":"a\x00b","name":"a\x00b"}',
    "lone surrogate": b'{"command":"\\ud800","name":"\\ud800"}',
    "lone surrogate key": b'{"\\udfff":1}',
    "twice the same key": b'{"name":"a","name":"b"}',
    "command of another type": b'{"command":5,"name":5}',
    "payload of another type": b'{"command":"SESSION_LIST","payload":[],"mode":[]}',
    "form": b"command=SESSION_LIST",
}


@pytest.fixture(scope="module")
def server(anywhere):
    with anywhere.serve() as running:
        yield running
        assert_no_traceback(running)


def reason(path, body):
    """The sentence with which a body was refused."""
    return body["message"] if path == COMMANDS else body["error"]["message"]


@pytest.mark.parametrize("path", PATHS)
def test_bodies_that_are_none_are_answered_400(server, path):
    for name, body in NO_BODIES.items():
        answer = remote.send(server, "POST", path, body)

        assert (name, answer.status) == (name, 400)
        assert reason(path, answer.body)
        chunked = remote.send(server, "POST", path, body, is_chunked=True)
        assert (name, chunked.status) == (name, 400)


@pytest.mark.parametrize("path", PATHS)
def test_bodies_above_the_limit_are_answered_413(server, path):
    for size in (MAX_BODY + 1, 3 * MAX_BODY):
        answer = upload(server, path, [b" " * size], head=f"Content-Length: {size}")

        assert answer.status == 413
        assert reason_of_too_large(answer)


@pytest.mark.parametrize("path", PATHS)
def test_chunked_bodies_above_the_limit_are_answered_413(server, anywhere, path):
    pieces = [b"10000\r\n" + b" " * 65_536 + b"\r\n"] * (MAX_BODY // 65_536 + 1)
    if "daphne" in anywhere.arguments:
        # It keeps a body to itself until its end; the other answers before.
        pieces.append(b"0\r\n\r\n")

    answer = upload(server, path, pieces, head="Transfer-Encoding: chunked")

    assert answer.status == 413
    assert reason_of_too_large(answer)


@pytest.mark.parametrize("path", PATHS)
def test_body_up_to_the_limit_is_read(server, path):
    body = b'{"command":"SESSION_LIST"' + b" " * (MAX_BODY - 26) + b"}"

    answer = remote.send(server, "POST", path, body, is_chunked=True)

    # The other address has no member of that name.
    assert answer.status == (200 if path == COMMANDS else 400)


def test_broken_requests_leave_the_server_answering(server):
    for head in (
        "Content-Length: -5",
        "Content-Length: many",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
    ):
        with connected(server) as line:
            line.sendall(request(server, SESSIONS, head) + b"zz\r\n")
            line.shutdown(socket.SHUT_WR)
            with line.makefile("rb") as answer:
                told = answer.read()

            assert not told.startswith(b"HTTP/1.1 5"), (head, told)
    assert remote.send(server, "GET", SESSIONS).status == 200


def connected(server):
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def request(server, path, head):
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(server.url).netloc}",
        f"Authorization: Bearer {server.token}",
        "Content-Type: application/json",
        head,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def upload(server, path, pieces, *, head):
    """Send as much as the server takes, then read what it says; the body need not have an end."""
    with connected(server) as line:
        # Where that fails it has answered already, and reads no more.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in [request(server, path, head), *pieces]:
                line.sendall(piece)
        with contextlib.closing(HTTPResponse(line, method="POST")) as response:
            response.begin()
            return remote.Answer(response.status, json.loads(response.read()))


def reason_of_too_large(answer):
    return answer.body["error"]["code"] == "PAYLOAD_TOO_LARGE" and answer.body["error"]["message"]


# Whatever comes

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
COMMAND_WORDS = ["SESSION_CREATE", "SESSION_ATTACH", "SESSION_START", "SESSION_STOP"]
COMMAND_WORDS += ["SESSION_LIST", "SESSION_STATE", "COMPONENT_LIST", "COMPONENT_GET", "FLY"]
KEYS = ["name", "mode", "session_id", "components", "component_id", "config", "key", "kind", "team"]
KEYS += ["context", "memory", "expires_at", "agent", "environment", "include_closed", "paths"]
members = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), values, max_size=5)
envelopes = st.fixed_dictionaries(
    {"command": st.sampled_from(COMMAND_WORDS), "request_id": values | st.just("r")},
    optional={"payload": members | values},
)
bodies = (envelopes | members | values).map(lambda value: json.dumps(value).encode())
mangled = st.builds(
    lambda body, at, junk: body[:at] + junk + body[at + len(junk) :],
    bodies,
    st.integers(0, 60),
    st.binary(max_size=5),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies | mangled | st.binary(max_size=60), path=st.sampled_from(PATHS))
def test_whatever_is_posted_the_server_has_a_proper_answer(server, body, path):
    answer = remote.send(server, "POST", path, body)

    assert answer.status in {200, 201, 400, 403, 404, 409, 413, 415}
    assert isinstance(answer.body, dict)
