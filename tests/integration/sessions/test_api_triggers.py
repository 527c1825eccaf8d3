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
