from typing import Any

import pytest

from aegis_project import database
from sessions.models import Run, Session, ToolCall
from sessions.services import tool_calls
from tests import factories
from tests.calling import Caller, caller, code
from tests.integration.sessions import tools_help
from tests.integration.sessions.tools_help import asked, request

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS, CALLS = "/api/v1/sessions", "/api/v1/tool-calls"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def run() -> Run:
    return tools_help.working(key="k")[0]


@pytest.fixture
def pending(run: Run) -> ToolCall:
    return request(run, asked("order", {"count": 2}))[0]


def lost(run: Run) -> ToolCall:
    """A call whose worker was gone."""
    call = tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=1)
    with database.atomic():
        tool_calls.lose_running(run.pk)
    Run.objects.filter(pk=run.pk).update(state="waiting", waiting_for="unknown", lease=None)
    return call


def test_a_tool_call_is_shown_in_both_vocabularies(program: Caller, pending: ToolCall):
    document = program.get(f"{CALLS}/{pending.pk}").json()

    approval = pending.approvals.get()
    del document["created_at"]
    assert document == {
        "id": str(pending.pk),
        "session_id": str(pending.session_id),
        "run_id": str(pending.run_id),
        "message_id": str(pending.message_id),
        "call": "c-1",
        "name": "order",
        "source": "component",
        "version": "3",
        "arguments": {"count": 2},
        "asked_arguments": {"count": 2},
        "status": "pending",
        "state": "pending",
        "risk": "high",
        "is_idempotent": True,
        "requires_approval": True,
        "approval_id": str(approval.pk),
        "approved_by": "",
        "approved_at": None,
        "rule": "default/ask",
        "digest": pending.digest,
        "effect_key": pending.effect_key,
        "attempt": 0,
        "result": None,
        "error": None,
        "artifact_id": None,
        "executed_at": None,
        "completed_at": None,
    }


def test_tool_calls_of_a_session_are_listed_by_state(program: Caller, run: Run):
    request(run, asked("order", {"count": 1}), asked("look", {}, "c-2"), asked("no", {}, "c-3"))

    def listed(query: str) -> list[str]:
        page = program.get(f"{SESSIONS}/k/tool-calls{query}").json()
        return [one["call"] for one in page["data"]]

    assert listed("") == ["c-3", "c-2", "c-1"]
    assert listed("?ordering=created_at&limit=2") == ["c-1", "c-2"]
    assert listed("?status=pending") == ["c-1"]
    assert listed("?status_filter=failed,approved") == ["c-3", "c-2"]
    assert listed("?status=unknown") == []
    assert code(program.get(f"{SESSIONS}/k/tool-calls?status=lost")) == (400, "VALIDATION_ERROR")


def test_pages_of_tool_calls_go_on(program: Caller, run: Run):
    request(run, *(asked("look", {}, f"c-{n}") for n in range(5)))
    address, found = f"{SESSIONS}/k/tool-calls?limit=2&fields=call", list[str]()

    cursor = ""
    for _ in range(3):
        page = program.get(f"{address}&cursor={cursor}").json()
        cursor = page["next"]
        found += [one["call"] for one in page["data"]]

    assert (found, cursor) == (["c-4", "c-3", "c-2", "c-1", "c-0"], "")


def test_a_page_of_tool_calls_costs_the_same_however_many(
    program: Caller, run: Run, django_assert_max_num_queries: Any
):
    request(run, *(asked("order", {"count": 1}, f"c-{n}") for n in range(20)))

    with django_assert_max_num_queries(8):
        page = program.get(f"{SESSIONS}/k/tool-calls").json()

    assert len(page["data"]) == 20


@pytest.mark.parametrize(
    ("action", "state", "status"),
    [("approve", "approved", "approved"), ("reject", "rejected", "rejected")],
)
def test_a_call_is_decided_in_the_words_of_seed_004(
    program: Caller, pending: ToolCall, action: str, state: str, status: str
):
    address = f"{SESSIONS}/k/tool-calls/{pending.pk}"

    response = program.post(address, {"action": action, "reason": "So."})
    again = program.post(address, {"action": "approve"})

    document = response.json()
    assert (response.status_code, document["state"], document["status"]) == (200, state, status)
    assert document["approved_by"] == "credential:default"
    assert code(again) == (409, "APPROVAL_ALREADY_DECIDED")
    assert program.get(address).json() == document


def test_what_nobody_has_to_decide_on_is_not_decided(program: Caller, run: Run):
    (call,) = request(run, asked("look"))

    refused = program.post(f"{SESSIONS}/k/tool-calls/{call.pk}", {"action": "approve"})

    assert code(refused) == (400, "INVALID_STATE")


def test_an_action_is_one_of_two(program: Caller, pending: ToolCall):
    refused = program.post(f"{SESSIONS}/k/tool-calls/{pending.pk}", {"action": "maybe"})

    assert code(refused) == (400, "VALIDATION_ERROR")


def test_what_came_of_a_call_is_said_by_whoever_looked(program: Caller, run: Run):
    call = lost(run)
    assert program.get(f"{CALLS}/{call.pk}").json()["status"] == "failed"

    response = program.post(
        f"{CALLS}/{call.pk}/resolve",
        {"outcome": "completed", "result": {"order": 7}},
        idempotency_key="a",
    )
    again = program.post(
        f"{CALLS}/{call.pk}/resolve",
        {"outcome": "completed", "result": {"order": 7}},
        idempotency_key="a",
    )

    assert (response.json()["state"], response.json()["result"]) == ("completed", {"order": 7})
    assert again.json() == response.json()
    assert code(program.post(f"{CALLS}/{call.pk}/resolve", {"outcome": "failed"})) == (
        400,
        "INVALID_STATE",
    )


def test_what_is_not_there_or_out_of_sight_is_not_found(program: Caller, pending: ToolCall):
    factories.session(key="other")
    stranger = caller(team="others")

    for who, address in (
        (program, f"{CALLS}/{NOBODY}"),
        (program, f"{CALLS}/nothing"),
        (program, f"{SESSIONS}/other/tool-calls/{pending.pk}"),
        (stranger, f"{CALLS}/{pending.pk}"),
    ):
        assert code(who.get(address)) == (404, "TOOL_CALL_NOT_FOUND")
    assert code(stranger.post(f"{CALLS}/{pending.pk}/resolve", {"outcome": "again"})) == (
        404,
        "TOOL_CALL_NOT_FOUND",
    )
    assert code(stranger.get(f"{SESSIONS}/k/tool-calls")) == (404, "SESSION_NOT_FOUND")


def test_every_entrance_needs_its_scope(run: Run, pending: ToolCall):
    reader, decider = caller(["approvals:decide"]), caller(["runs:read"])

    for address in (f"{CALLS}/{pending.pk}", f"{SESSIONS}/k/tool-calls"):
        assert code(reader.get(address)) == (403, "PERMISSION_DENIED")
    one = f"{SESSIONS}/k/tool-calls/{pending.pk}"
    assert code(decider.post(one, {"action": "approve"})) == (403, "PERMISSION_DENIED")
    assert code(decider.post(f"{CALLS}/{pending.pk}/resolve", {"outcome": "again"})) == (
        403,
        "PERMISSION_DENIED",
    )
    assert code(decider.get("/api/v1/tools")) == (403, "PERMISSION_DENIED")


def test_the_tools_that_there_are_are_listed(program: Caller):
    found = program.get("/api/v1/tools").json()["data"]

    (one,) = [tool for tool in found if tool["name"] == "read_artifact"]
    assert [tool["name"] for tool in found] == sorted(tool["name"] for tool in found)
    assert (one["risk"], one["source"], one["is_idempotent"]) == ("safe", "builtin", True)
    assert one["parameters"]["required"] == ["name"]


def test_a_session_without_calls_has_none(program: Caller):
    factories.session(key="empty")

    assert program.get(f"{SESSIONS}/empty/tool-calls").json() == {"data": [], "next": ""}
    assert Session.objects.count() == 1
