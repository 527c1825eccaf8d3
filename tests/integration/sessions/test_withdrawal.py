"""Cancelling what waits in a session, as seed 004 does."""

from dataclasses import replace
from typing import Any

import pytest

from aegis_project.kit.errors import PermissionDenied
from sessions.core.runs import State as RunState
from sessions.models import Approval, Run, Session, ToolCall
from sessions.services import approvals, withdrawal
from streaming.models import AuditEntry
from tests import asking, factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return factories.session(key="desk")


@pytest.fixture
def run(session: Session) -> Run:
    return asking.run(session)


def states(kind: Any) -> list[str]:
    return list(kind.objects.order_by("pk").values_list("state", flat=True))


def test_all_that_waits_is_cancelled_and_the_run_goes_on(program: Caller, run: Run):
    first, second = asking.approval(run), asking.approval(run)
    asking.waiting(run)

    answer = program.delete("/api/v1/sessions/desk/approvals?reason=enough")

    run.refresh_from_db()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "cancelled_approvals": 2,
            "approvals": [str(first.pk), str(second.pk)],
            "reason": "enough",
        },
    )
    assert (states(Approval), states(ToolCall)) == (["cancelled"] * 2, ["cancelled"] * 2)
    assert (run.state, run.waiting_for) == (RunState.QUEUED, "")
    assert factories.events(run.session)[-5:] == [
        *("approval.cancelled", "tool_call.cancelled", "approval.cancelled"),
        *("tool_call.cancelled", "run.resumed"),
    ]


def test_the_words_are_those_of_the_seed(program: Caller, run: Run):
    approval = asking.approval(run)

    cancelled = program.delete("/api/v1/sessions/desk/approvals").json()
    read = program.get(f"/api/v1/sessions/desk/approvals/{approval.pk}").json()

    assert cancelled["reason"] == "Cancelled by user"
    assert (read["state"], read["status"]) == ("cancelled", "expired")
    assert (read["feedback"], read["decided_by"]) == ("Cancelled by user", "credential:default")


def test_nothing_is_cancelled_twice(program: Caller, run: Run):
    asking.approval(run)
    program.delete("/api/v1/sessions/desk/approvals")
    told = len(factories.events(run.session))

    again = program.delete("/api/v1/sessions/desk/approvals")

    assert again.json()["cancelled_approvals"] == 0
    assert len(factories.events(run.session)) == told


def test_what_was_decided_and_what_is_of_another_session_stays(program: Caller, run: Run):
    decided = asking.approval(run)
    approvals.decide(principal=OPERATOR, approval=decided, approved=True)
    other = asking.approval(asking.run(factories.session()))

    answer = program.delete("/api/v1/sessions/desk/approvals")

    decided.refresh_from_db()
    other.refresh_from_db()
    assert answer.json()["cancelled_approvals"] == 0
    assert (decided.state, other.state) == ("approved", "pending")


def test_it_is_audited_with_what_was_cancelled(program: Caller, run: Run):
    approval = asking.approval(run)

    program.delete("/api/v1/sessions/desk/approvals?reason=enough")

    entry = AuditEntry.objects.get(command="approval.cancel")
    assert entry.detail == {"approvals": [str(approval.pk)], "reason": "enough"}


def test_a_cancelled_call_is_not_decided_on_later(program: Caller, run: Run):
    approval = asking.approval(run)
    program.delete("/api/v1/sessions/desk/approvals")

    answer = program.post(f"/api/v1/approvals/{approval.pk}/decide", {"approved": True})

    assert code(answer) == (409, "APPROVAL_ALREADY_DECIDED")


def test_whoever_may_not_decide_cancels_nothing(program: Caller, run: Run):
    approval = asking.approval(run)
    address = "/api/v1/sessions/desk/approvals"

    assert code(caller(["approvals:read", "sessions:read"]).delete(address)) == (
        403,
        "PERMISSION_DENIED",
    )
    stranger = caller(team="others").delete(f"/api/v1/sessions/{run.session_id}/approvals")
    assert code(stranger) == (404, "SESSION_NOT_FOUND")
    assert code(program.delete(f"{address}?reason={'x' * 2001}")) == (400, "VALIDATION_ERROR")
    approval.refresh_from_db()
    assert approval.state == "pending"


def test_a_component_cancels_nothing(run: Run):
    approval = asking.approval(run)
    component = replace(factories.bearer(run.session), scopes=frozenset({"approvals:decide"}))

    with pytest.raises(PermissionDenied, match="decides on nothing"):
        withdrawal.cancel(principal=component, session=run.session)

    approval.refresh_from_db()
    assert approval.state == "pending"
