"""Seed 003, shape by shape: its replies, its events and its contexts, and no others."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.calling import Caller, caller
from tests.contracts.seed_003_help import GOLDEN, UUID, golden, plain

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

JOEL = {"type": "development", "owner": "human-joel"}
NOBODY = {"sessionId": "00000000-0000-0000-0000-000000000000"}


@pytest.fixture
def program() -> Caller:
    return caller()


def send(program: Caller, daemon: str, type_: str, data: Any = None) -> Any:
    """What a daemon answers; the status is 200 whatever that is."""
    answer = program.post(f"/bus/{daemon}", {"type": type_, "data": data or {}})
    assert answer.status_code == 200
    return answer.json()


def made(program: Caller) -> dict[str, str]:
    return {"sessionId": send(program, "session", "create", JOEL)["data"]["sessionId"]}


# Arrangements: each makes what the seed shows, and returns the answer to compare with it.


def create(program: Caller) -> Any:
    return send(program, "session", "create", JOEL)


def get(program: Caller) -> Any:
    return send(program, "session", "get", made(program))


def list_(program: Caller) -> Any:
    made(program)
    return send(program, "session", "list", {"filter": {}})


def activate(program: Caller) -> Any:
    return send(program, "session", "activate", made(program))


def deactivate(program: Caller) -> Any:
    return send(program, "session", "deactivate", made(program))


def end(program: Caller) -> Any:
    return send(program, "session", "end", made(program))


def not_found(program: Caller) -> Any:
    return send(program, "session", "get", NOBODY)


def unknown_message(program: Caller) -> Any:
    return send(program, "session", "teleport", NOBODY)


def context(program: Caller) -> Any:
    return send(program, "router", "context", made(program))["data"]


def chat_context(program: Caller) -> Any:
    return send(program, "chat", "context", made(program))["data"]


CASES: dict[str, Callable[[Caller], Any]] = {
    "create": create,
    "get": get,
    "list": list_,
    "activate": activate,
    "deactivate": deactivate,
    "end": end,
    "not_found": not_found,
    "unknown_message": unknown_message,
    "context": context,
    "chat_context": chat_context,
}
# These come over the socket: tests/contracts/test_seed_003_events.py.
TOLD = {"session_created", "session_ended"}


@pytest.mark.parametrize("case", CASES)
def test_an_answer_has_the_shape_of_the_seed(program: Caller, case: str):
    assert plain(CASES[case](program)) == golden(case)


def test_every_shape_of_the_seed_is_compared():
    assert {path.stem for path in GOLDEN.iterdir()} == CASES.keys() | TOLD


# The seed's own tests


def test_it_creates_a_session_with_a_valid_uuid(program: Caller):
    result = send(program, "session", "create", {"type": "development", "owner": "test"})

    assert result["success"] is True
    assert UUID.match(result["data"]["sessionId"])


def test_it_tracks_the_life_of_a_session(program: Caller):
    created = send(program, "session", "create", {"type": "test", "owner": "user"})
    named = {"sessionId": created["data"]["sessionId"]}

    retrieved = send(program, "session", "get", named)
    ended = send(program, "session", "end", named)
    not_found = send(program, "session", "get", named)

    assert (retrieved["success"], retrieved["data"]["isActive"]) == (True, True)
    assert ended["success"] is True
    assert not_found == {"success": False, "error": "Session not found"}


@pytest.mark.parametrize("type_", ["get", "activate", "deactivate", "end"])
def test_what_is_over_is_not_found(program: Caller, type_: str):
    named = made(program)
    send(program, "session", "end", named)

    assert send(program, "session", type_, named) == golden("not_found")
    assert send(program, "session", "list")["data"] == []


def test_a_session_goes_to_and_fro(program: Caller):
    named = made(program)

    found = []
    for type_ in ("deactivate", "deactivate", "activate", "activate", "deactivate"):
        assert send(program, "session", type_, named)["success"] is True
        found.append(send(program, "session", "get", named)["data"]["isActive"])

    assert found == [False, False, True, True, False]
