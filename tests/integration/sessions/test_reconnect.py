"""What a client is told that was away, over HTTP, in a stream and on the socket."""

import json
from typing import Any

import pytest

from aegis_project.database import run_db
from aegis_project.handler import Handler
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import checkpoints, lifecycle
from streaming.hub import Hub
from tests import asking, factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR
from tests.integration.sessions.test_api_streams import handler, hub, reader
from tests.integration.sessions.test_session_socket import connected, node

__all__ = ["handler", "hub", "node"]

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> tuple[Session, Any]:
    session = factories.session_in(State.RUNNING, key="k")
    return session, asking.approval(asking.run(session))


@pytest.fixture
def program() -> Caller:
    return caller()


def test_who_was_away_is_told_what_it_missed_and_what_is_pending(program: Caller):
    session, approval = waiting()
    address = f"/api/v1/sessions/{session.pk}"

    found = program.get(f"{address}/reconnect?after=2").json()

    events = program.get(f"{address}/events?after=2").json()
    assert found["missed_events"] == events["data"]
    assert (found["status"], found["missed"], found["has_more"]) == (
        "reconnected",
        len(events["data"]),
        False,
    )
    assert (found["head"], found["next"], found["epoch"]) == (
        events["head"],
        events["next"],
        events["epoch"],
    )
    assert found["checkpoint"]["checkpoint_type"] == "approval_pending"
    assert found["checkpoint"]["seq"] == events["head"]
    pending = found["pending_state"]
    assert (pending["state"], [one["agent"] for one in pending["runs"]]) == ("running", ["trader"])
    assert [one["approval_id"] for one in pending["approvals"]] == [str(approval.pk)]
    assert pending["tool_calls"] == [
        {
            "tool_call_id": str(approval.tool_call_id),
            "tool_name": "orders.place",
            "state": "pending",
        }
    ]


@pytest.mark.parametrize("after", ["", "?after=4000"])
def test_who_names_no_event_that_there_is_missed_none(program: Caller, after: str):
    session = factories.session()

    found = program.get(f"/api/v1/sessions/{session.pk}/reconnect{after}").json()

    assert (found["missed"], found["missed_events"], found["has_more"]) == (0, [], False)
    assert (found["checkpoint"], found["pending_state"]["runs"]) == (None, [])


def test_what_is_too_much_follows_behind_next(program: Caller):
    session, _ = waiting()
    address = f"/api/v1/sessions/{session.pk}/reconnect"

    first = program.get(f"{address}?after=0&limit=2").json()
    second = program.get(f"{address}?after={first['next']}").json()

    assert (first["has_more"], first["next"], first["missed"]) == (True, 2, first["head"])
    numbers = [one["seq"] for one in first["missed_events"] + second["missed_events"]]
    assert numbers == list(range(1, first["head"] + 1))


def test_of_approvals_only_who_may_read_them_is_told():
    session, _ = waiting()
    some = caller(["sessions:read", "events:read"])

    pending = some.get(f"/api/v1/sessions/{session.pk}/reconnect").json()["pending_state"]

    assert (pending["approvals"], pending["tool_calls"]) == (None, None)
    few = caller(["sessions:read"])
    assert code(few.get(f"/api/v1/sessions/{session.pk}/reconnect")) == (403, "PERMISSION_DENIED")
    other = caller(team="other")
    assert code(other.get(f"/api/v1/sessions/{session.pk}/reconnect")) == (404, "SESSION_NOT_FOUND")


async def test_a_stream_begins_with_the_answer_and_goes_on_with_what_was_missed(
    hub: Hub, handler: Handler
):
    session, _ = await run_db(waiting)
    secret = (await run_db(caller)).headers["Authorization"]
    browser = reader(handler, f"/api/v1/sessions/{session.pk}/reconnect", secret)
    browser.scope["query_string"] = b"after=1"
    await browser.send_input({"type": "http.request", "body": b""})

    start = await browser.receive_output(20)
    said = b""
    while b"approval.requested" not in said:
        said += (await browser.receive_output(20))["body"]
    await browser.send_input({"type": "http.disconnect"})
    await browser.wait()

    events = [one.split("\n") for one in said.decode().split("\n\n")[1:]]
    assert start["status"] == 200
    assert events[0][0] == "event: reconnected"
    first = json.loads(events[0][1].removeprefix("data: "))
    assert "missed_events" not in first
    assert first["missed"] == first["head"] - 1
    assert [one[0] for one in events[1:3]] == ["id: 2", "id: 3"]


async def test_the_socket_answers_too():
    session, approval = await run_db(waiting)
    await run_db(checkpoints.create, principal=OPERATOR, session=session, label="kept")
    token = (await run_db(caller)).headers["Authorization"].removeprefix("Bearer ")

    async with connected(token=token) as socket:
        found = await socket.ask({"type": "reconnect", "after": 1}, "reconnected")
        none = await socket.ask({"type": "reconnect"}, "reconnected")
        wrong = await socket.ask({"type": "reconnect", "after": -1}, "error")

    assert (found["checkpoint"]["label"], found["checkpoint"]["checkpoint_type"]) == (
        "kept",
        "manual",
    )
    assert [one["seq"] for one in found["missed_events"]] == list(range(2, found["head"] + 1))
    assert [one["approval_id"] for one in found["pending_state"]["approvals"]] == [str(approval.pk)]
    assert (none["missed"], none["missed_events"]) == (0, [])
    assert wrong["error_code"] == "VALIDATION_ERROR"


def test_a_session_that_is_over_answers_as_well(program: Caller):
    session, _ = waiting()
    lifecycle.end(principal=OPERATOR, session=session)

    found = program.get(f"/api/v1/sessions/{session.pk}/reconnect?after=1").json()

    assert found["pending_state"] == {
        "state": "ended",
        "runs": [],
        "approvals": [],
        "tool_calls": [],
    }
