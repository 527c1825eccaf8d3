"""What becomes of what a model asks for: verdicts, faults and whoever is asked."""

from typing import Any

import pytest

from sessions.core import run_log
from sessions.models import Approval, Message, Policy
from sessions.selectors import history
from sessions.services import tool_calls
from tests import factories
from tests.integration.sessions import tools_help, working_help
from tests.integration.sessions.tools_help import ORDER, asked, request

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_call_that_is_let_by_may_be_carried_out_at_once():
    run, held = tools_help.working()

    (call,) = request(run, asked("look", {"at": "it"}))

    assert (call.state, call.rule, call.risk) == ("approved", "default/safe", "safe")
    assert call.digest == call.digest_of({"at": "it"})
    told = {"tool_call": str(call.pk), "run": str(run.pk), "tool": "look"}
    assert factories.told(run.session)[-2:] == [
        (
            "tool_call.pending",
            {
                **told,
                "call": "c-1",
                "risk": "safe",
                "digest": call.digest,
                "rule": "default/safe",
            },
        ),
        ("tool_call.approved", {**told, "by": "default/safe", "edited": False}),
    ]
    assert working_help.log(run)[-1] == run_log.ToolCall(
        id=str(call.pk), call="c-1", name="look", arguments={"at": "it"}, state="approved"
    )
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)


def test_a_call_that_needs_a_decision_waits_for_it_with_its_evidence():
    run, _ = tools_help.working()
    known = {"prices": {"value": {"p": 7}, "ts": 1, "seq": 2}}

    (call,) = request(run, asked("order", {"count": 2}), evidence={"c-1": known})

    approval = Approval.objects.get(tool_call=call)
    assert (call.state, call.tool_version, call.source) == ("pending", "3", "component")
    assert call.is_idempotent
    assert (approval.digest, approval.evidence) == (call.digest, known)
    assert approval.parameters == ORDER.parameters
    assert working_help.log(run)[-1] == run_log.ToolCall(
        id=str(call.pk),
        call="c-1",
        name="order",
        arguments={"count": 2},
        state="pending",
        approval=str(approval.pk),
    )


def test_a_call_that_a_policy_denies_is_rejected_and_the_model_told():
    rules = [{"name": "never", "verdict": "deny", "tool": "order"}]
    policy = Policy.objects.create(slug="strict", name="Strict", rules=rules)
    agent = working_help.agent("careful", policy=policy)
    run = working_help.admitted(working_help.session(), agent=agent)
    working_help.claimed()

    (call,) = request(run, asked("order", {"count": 1}))

    assert (call.state, call.rule) == ("rejected", "strict/never")
    assert (call.error or {})["code"] == "APPROVAL_REJECTED"
    assert factories.events(run.session)[-2:] == ["tool_call.pending", "tool_call.rejected"]
    last = working_help.log(run)[-1]
    assert isinstance(last, run_log.ToolResult)
    assert (last.state, last.error) == ("rejected", call.error)


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("order", {}, "INVALID_TOOL_ARGS"),
        ("order", {"count": "many"}, "INVALID_TOOL_ARGS"),
        ("order", "count=1", "INVALID_TOOL_ARGS"),
        ("look", {"text": "a\x00b"}, "INVALID_TOOL_ARGS"),
        ("other", {}, "TOOL_NOT_FOUND"),
        ("o" * 300, {}, "TOOL_NOT_FOUND"),
    ],
)
def test_what_cannot_be_called_fails_and_nobody_is_asked(tool: str, arguments: Any, code: str):
    run, _ = tools_help.working()

    (call,) = request(run, asked(tool, arguments))

    assert (call.state, (call.error or {})["code"]) == ("failed", code)
    assert call.ended_at is not None
    assert not Approval.objects.exists()
    assert factories.events(run.session)[-2:] == ["tool_call.pending", "tool_call.failed"]


def test_calls_stand_with_the_message_in_the_order_in_which_they_were_asked_for():
    run, _ = tools_help.working()

    calls = request(run, *(asked("look", {"n": n}, f"c-{n}") for n in range(6)))

    message = Message.objects.get(run=run)
    [entry] = history.entries([message])
    assert message.tool_call_count == 6
    assert [call.arguments["n"] for call in entry.calls] == [0, 1, 2, 3, 4, 5]
    assert [call.pk for call in entry.calls] == [call.pk for call in calls]


def test_what_was_asked_for_is_no_text_of_an_attempt_that_may_be_replaced():
    run, _ = tools_help.working()

    request(run, asked("look"), asked("order", {"count": 1}, "c-2"))

    run.refresh_from_db()
    assert run.safe_seq == len(working_help.log(run))


def test_a_model_may_use_an_id_again():
    run, _ = tools_help.working()

    first = request(run, asked("look"), asked("look"), asked("look", id_=""))
    second = request(run, asked("look"))

    assert [call.call_id for call in first] == ["c-1", "c-1~1", "call"]
    assert [call.call_id for call in second] == ["c-1"]
    assert len({call.digest for call in first + second}) == 4
    assert len({call.effect_key for call in first + second}) == 4
