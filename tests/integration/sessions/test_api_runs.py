import pytest

from sessions.core.errors import BudgetExceeded
from sessions.core.lifecycle import State
from sessions.core.runs import Waiting
from sessions.models import Run
from sessions.services import working
from tests.calling import Caller, caller, code
from tests.integration.sessions import working_help as help_

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "/api/v1/runs"
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_a_run_is_asked_for_and_shown(program: Caller):
    help_.agent()
    session = help_.session(key="k")

    response = program.post(
        "/api/v1/sessions/k/runs", {"agent": "scribe", "task": "t", "limits": {"max_steps": 2}}
    )

    document = response.json()
    assert response.status_code == 202
    assert response["Location"] == f"{RUNS}/{document['id']}"
    assert program.get(response["Location"]).json() == document
    times = {name: document.pop(name) for name in ("id", "created_at")}
    assert times["id"] == str(Run.objects.get().pk)
    assert document == {
        "session": str(session.pk),
        "place": 1,
        "agent": "scribe",
        "state": "queued",
        "waiting_for": "",
        "attempt": 0,
        "losses": 0,
        "message": None,
        "answer": None,
        "parent": None,
        "trigger": None,
        "task": "t",
        "requested_by": "credential:default",
        "parameters": {},
        "limits": {"max_steps": 2},
        "usage": {},
        "steps": 0,
        "token_count": 0,
        "cost": "0.000000",
        "worked_seconds": 0.0,
        "error": None,
        "started_at": None,
        "ended_at": None,
    }


def test_runs_are_listed_and_narrowed(program: Caller):
    session = help_.session(key="k")
    first, second = help_.admitted(session), help_.admitted(session, task="t")
    other = help_.admitted(help_.session(), agent=help_.agent("other"))
    program.post(f"{RUNS}/{first.pk}/cancel", {"reason": "enough"})

    def ids(address: str) -> list[str]:
        return [one["id"] for one in program.get(address).json()["data"]]

    assert ids(RUNS) == [str(one.pk) for one in (other, second, first)]
    assert ids(f"{RUNS}?state=cancelled,failed") == [str(first.pk)]
    assert ids(f"{RUNS}?agent=other") == [str(other.pk)]
    assert ids("/api/v1/sessions/k/runs?task=t&fields=id") == [str(second.pk)]
    assert code(program.get(f"{RUNS}?state=asleep")) == (400, "VALIDATION_ERROR")


def test_a_run_that_waits_for_its_budget_goes_on_when_it_is_raised(program: Caller):
    run = help_.admitted(help_.session())
    held = help_.claimed()
    working.wait(
        run_id=run.pk,
        fence=held.fence,
        waiting_for=Waiting.BUDGET,
        error=BudgetExceeded(limit="max_cost"),
    )
    before = program.get(f"{RUNS}/{run.pk}").json()

    after = program.post(f"{RUNS}/{run.pk}/limits", {"max_cost": 0.5}).json()

    assert (before["state"], before["waiting_for"]) == ("waiting", "budget")
    assert before["error"]["code"] == "BUDGET_EXCEEDED"
    assert (after["state"], after["error"], after["limits"]) == (
        "queued",
        None,
        {"max_cost": "0.5"},
    )


def test_what_cannot_be_is_refused(program: Caller):
    help_.agent()
    help_.session(State.STOPPED, key="k")
    address = "/api/v1/sessions/k/runs"

    assert code(program.post(address, {"agent": "scribe"})) == (400, "INVALID_STATE")
    assert code(program.post(address, {})) == (404, "AGENT_NOT_FOUND")
    assert code(program.post(address, {"agent": "nobody"})) == (404, "AGENT_NOT_FOUND")
    assert code(program.get(f"{RUNS}/{NOBODY}")) == (404, "RUN_NOT_FOUND")
    assert code(program.post(f"{RUNS}/{NOBODY}/cancel")) == (404, "RUN_NOT_FOUND")
    assert code(program.post(f"{RUNS}/x/limits", {"max_words": 1})) == (400, "VALIDATION_ERROR")


def test_scopes_are_asked_for():
    run = help_.admitted(help_.session(key="k"))
    reader, stranger = caller(["runs:read"]), caller(["runs:read", "runs:write"], team="other")

    assert code(reader.post(f"{RUNS}/{run.pk}/cancel")) == (403, "PERMISSION_DENIED")
    assert code(reader.post("/api/v1/sessions/k/runs", {})) == (403, "PERMISSION_DENIED")
    assert code(caller(["runs:write"]).get(RUNS)) == (403, "PERMISSION_DENIED")
    assert code(
        caller(["runs:read", "runs:write"]).post(f"{RUNS}/{run.pk}/limits", {"max_tokens": 1})
    ) == (403, "PERMISSION_DENIED")
    assert code(stranger.get(f"{RUNS}/{run.pk}")) == (404, "RUN_NOT_FOUND")
    assert stranger.get(RUNS).json()["data"] == []
