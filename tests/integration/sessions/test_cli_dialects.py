"""`--dialect`: at the command line, what a client of each dialect would read."""

from typing import Any

import pytest

from sessions.core.lifecycle import Kind, State
from sessions.models import Session
from tests import factories
from tests.calling import Caller

pytestmark = [
    pytest.mark.dialects,
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

DIALECTS = ["000", "001", "002", "003", "004"]
# What goes on meanwhile, and what only an envelope on its way has.
MOVING = {"uptime_seconds", "request_id"}


def still(value: Any) -> Any:
    """A document without what is another a moment later."""
    if isinstance(value, dict):
        return {name: still(one) for name, one in value.items() if name not in MOVING}
    return [still(one) for one in value] if isinstance(value, list) else value


def asked(program: Caller, dialect: str, made: Session) -> Any:
    """What a client reads that asks for a session over HTTP."""
    match dialect:
        case "000":
            return program.command("SESSION_STATE", {"session_id": str(made.pk)})
        case "001":
            return program.get(f"/api/v1/agent-sessions/{made.pk}").json()
        case "002":
            return program.get(f"/sessions/{made.pk}").json()
        case "003":
            body = {"type": "get", "data": {"sessionId": str(made.pk)}}
            return program.post("/bus/session", body).json()
        case _:
            return program.get(f"/api/v1/sessions/{made.pk}").json()


def listed(program: Caller, dialect: str) -> Any:
    """What one reads that asks for all."""
    match dialect:
        case "000":
            return program.command("SESSION_LIST", {"include_closed": True})
        case "001":
            return program.get("/api/v1/agent-sessions").json()
        case "002":
            return program.get("/sessions").json()
        case "003":
            return program.post("/bus/session", {"type": "list", "data": {}}).json()
        case _:
            return program.get("/api/v1/sessions").json()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("verb", ["state", "show"])
def test_a_session_is_what_its_client_would_read(aegis, program: Caller, dialect: str, verb: str):
    made = factories.session_in(State.PAUSED, key="k", kind=Kind.CHAT, agent="assistant")

    told = aegis("session", verb, "k", "--dialect", dialect)

    assert still(told.document) == still(asked(program, dialect, made))
    assert (told.code, told.err) == (0, "")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_list_is_what_its_client_would_read(aegis, program: Caller, dialect: str):
    for state in (State.ENDED, State.FAILED, State.RUNNING):
        factories.session_in(state, key=state.value)

    told = aegis("session", "list", "--closed", "--dialect", dialect)

    assert still(told.document) == still(listed(program, dialect))


@pytest.mark.parametrize("dialect", ["002", "003"])
def test_what_a_client_does_not_find_is_told_in_its_words(aegis, program: Caller, dialect: str):
    made = factories.session_in(State.ENDED, key="k")

    told = aegis("session", "state", "k", "--dialect", dialect)

    assert (told.code, told.document) == (3, asked(program, dialect, made))
