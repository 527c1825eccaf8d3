import pytest

from sessions.models import Trigger
from tests.calling import Caller, caller, code
from tests.integration.sessions import working_help as help_

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/agents/scribe/triggers"


def test_a_trigger_is_made_listed_and_taken_away(program: Caller):
    help_.agent()
    session = help_.session(key="k")
    condition = {"all": [{"path": "price", "op": "gt", "value": 10}]}

    made = program.post(
        ADDRESS, {"session": "k", "pattern": "prices.*", "condition": condition, "prompt": "Look."}
    )

    document = made.json()
    assert made.status_code == 201
    assert program.get(ADDRESS).json() == {"data": [document], "next": ""}
    assert program.get(f"/api/v1/triggers/{document['id']}").json() == document
    assert {name: document[name] for name in ("agent", "session", "condition", "next_at")} == {
        "agent": "scribe",
        "session": str(session.pk),
        "condition": condition,
        "next_at": None,
    }
    assert program.delete(f"/api/v1/triggers/{document['id']}").status_code == 204
    assert not Trigger.objects.exists()


def test_a_trigger_that_cannot_be_is_refused(program: Caller):
    help_.agent()
    help_.session(key="k")

    assert code(program.post(ADDRESS, {"session": "k"})) == (400, "VALIDATION_ERROR")
    assert code(program.post(ADDRESS, {"schedule": "soon", "session": "k"})) == (
        400,
        "VALIDATION_ERROR",
    )
    assert code(program.post(ADDRESS, {"schedule": "@daily"})) == (403, "PERMISSION_DENIED")
    assert code(program.post(ADDRESS, {"schedule": "@daily", "session": "x"})) == (
        404,
        "SESSION_NOT_FOUND",
    )
    assert code(program.get("/api/v1/triggers/x")) == (404, "NOT_FOUND")
    assert code(caller(["agents:read"]).post(ADDRESS, {"schedule": "@daily"})) == (
        403,
        "PERMISSION_DENIED",
    )


def test_a_trigger_is_changed_and_let_rest(program: Caller):
    help_.agent()
    help_.session(key="k")
    made = program.post(ADDRESS, {"session": "k", "pattern": "prices.*"}).json()
    address = f"/api/v1/triggers/{made['id']}"

    timed = program.patch(address, {"pattern": "", "schedule": "@daily", "prompt": "Look."}).json()
    resting = program.patch(address, {"is_active": False}).json()

    assert (timed["schedule"], timed["prompt"], timed["is_active"]) == ("@daily", "Look.", True)
    assert timed["next_at"] is not None
    assert resting["is_active"] is False
    assert code(program.patch(address, {"pattern": "prices.*"})) == (400, "VALIDATION_ERROR")
    assert code(program.patch(address, {"session": "other"})) == (400, "VALIDATION_ERROR")
    assert code(program.patch("/api/v1/triggers/x", {})) == (404, "NOT_FOUND")
    assert code(caller(["agents:read"]).patch(address, {"is_active": True})) == (
        403,
        "PERMISSION_DENIED",
    )
    assert program.get(address).json() == resting


def test_what_a_record_would_do_is_said_without_doing_it(program: Caller):
    help_.agent()
    help_.session(key="k")
    condition = {"all": [{"path": "price", "op": "gt", "value": 10}]}
    made = program.post(
        ADDRESS, {"session": "k", "pattern": "prices.*", "condition": condition, "prompt": "{data}"}
    ).json()
    address = f"/api/v1/triggers/{made['id']}/test"

    wakes = program.post(address, {"topic": "prices.BTC", "data": {"price": 11}}).json()
    low = program.post(address, {"topic": "prices.BTC", "data": {"price": 9}}).json()
    other = program.post(address, {"topic": "book.BTC", "data": {"price": 11}}).json()

    assert wakes == {
        "wakes": True,
        "why": "",
        "prompt": '{"price":11}',
        "sessions": ["k"],
        "next": [],
    }
    assert (low["wakes"], low["why"]) == (False, "The condition does not hold.")
    assert (other["wakes"], other["why"]) == (False, "The topic is not one of the pattern.")
    assert Trigger.objects.get().last_at is None


def test_the_next_moments_of_a_schedule_are_said(program: Caller):
    help_.agent()
    help_.session(key="k")
    made = program.post(ADDRESS, {"session": "k", "schedule": "0 3 * * *"}).json()

    found = program.post(f"/api/v1/triggers/{made['id']}/test").json()

    assert (found["wakes"], len(found["next"])) == (True, 3)
    assert found["next"][0] == made["next_at"]
