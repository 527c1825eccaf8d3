"""A proposed policy over the calls that were made."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sessions.core.lifecycle import State
from sessions.models import Approval, Run, Session, ToolCall
from tests import asking, factories
from tests.asking import Asking
from tests.calling import Caller, caller, code

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ADDRESS = "/api/v1/policies/rehearse"


def made(run: Run, quantity: int, *, state: str, decision: str = "", rule: str = "desk/1") -> None:
    """A call for so many that came to this."""
    call = asking.asked(run, Asking(arguments={"quantity": quantity}))
    if decision:
        approval = asking.approval(run, call=call)
        Approval.objects.filter(pk=approval.pk).update(state=decision)
    ToolCall.objects.filter(pk=call.pk).update(state=state, rule=rule)


def history(key: str = "desk") -> Session:
    session = factories.session_in(State.RUNNING, key=key)
    run = asking.run(session)
    made(run, 1, state="completed")
    made(run, 50, state="completed")
    made(run, 60, state="completed", decision="approved")
    made(run, 5, state="completed", decision="approved")
    made(run, 2, state="rejected", decision="rejected")
    made(run, 3, state="rejected")
    made(run, 900, state="completed", decision="approved")
    made(run, 7, state="failed", rule="")
    return session


RULES = [
    {
        "verdict": "deny",
        "tool": "orders.*",
        "arguments": [{"path": "quantity", "op": "gt", "value": 500}],
    },
    {
        "verdict": "approve",
        "tool": "orders.*",
        "arguments": [{"path": "quantity", "op": "gt", "value": 10}],
    },
    {"verdict": "auto", "tool": "orders.*"},
]


def test_a_proposal_is_compared_with_what_was(program: Caller):
    session = history()

    found = program.post(ADDRESS, {"rules": RULES, "session": "desk"}).json()

    assert (found["judged"], found["has_more"]) == (7, False)
    assert found["counts"] == {"fewer": 1, "missed": 2, "more": 1, "needless": 1, "same": 2}
    assert found["then"] == {"approved": 3, "denied": 1, "let_by": 2, "refused": 1}
    assert found["now"] == {"asks": 2, "denies": 1, "lets_by": 4}
    by_kind = {(one["kind"], one["then"], one["now"]) for one in found["data"]}
    assert by_kind == {
        ("more", "let_by", "asks"),
        ("fewer", "approved", "lets_by"),
        ("missed", "refused", "lets_by"),
        ("missed", "denied", "lets_by"),
        ("needless", "approved", "denies"),
    }
    assert {one["rule"] for one in found["data"]} == {"draft/1", "draft/2", "draft/3"}
    assert {one["session"] for one in found["data"]} == {str(session.pk)}


def test_which_calls_are_judged_is_said(program: Caller):
    history()
    other = factories.session_in(State.RUNNING, key="other")
    made(asking.run(other, of=asking.agent("buyer")), 1, state="completed")

    assert program.post(ADDRESS, {}).json()["judged"] == 8
    assert program.post(ADDRESS, {"limit": 3}).json()["judged"] == 3
    assert program.post(ADDRESS, {"agent": "buyer"}).json()["judged"] == 1
    assert program.post(ADDRESS, {"since": "2999-01-01T00:00:00Z"}).json()["judged"] == 0


def test_a_named_policy_is_asked_as_well(program: Caller):
    history()

    found = program.post(ADDRESS, {"policies": ["manual"]}).json()

    assert found["now"] == {"asks": 7}
    assert found["counts"] == {"more": 2, "same": 5}


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"session": "nobody"}, 404, "SESSION_NOT_FOUND"),
        ({"policies": ["nobody"]}, 404, "POLICY_NOT_FOUND"),
        ({"rules": [{"verdict": "maybe"}]}, 400, "VALIDATION_ERROR"),
        ({"limit": 0}, 400, "VALIDATION_ERROR"),
        ({"since": "0001-01-01T00:00:00+14:00"}, 400, "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_asked_is_refused(program: Caller, body: Any, status: int, word: str):
    assert code(program.post(ADDRESS, body)) == (status, word)


def test_calls_of_other_teams_and_without_the_scopes_are_not_judged():
    history()

    assert caller(team="other").post(ADDRESS, {}).json()["judged"] == 0
    assert code(caller(["policies:read"]).post(ADDRESS, {})) == (403, "PERMISSION_DENIED")
    assert code(caller(["runs:read"]).post(ADDRESS, {})) == (403, "PERMISSION_DENIED")


def test_nothing_is_written(program: Caller):
    history()
    before = list(ToolCall.objects.order_by("pk").values()), list(Approval.objects.values())

    program.post(ADDRESS, {"rules": RULES})

    assert (
        list(ToolCall.objects.order_by("pk").values()),
        list(Approval.objects.values()),
    ) == before


def test_the_command_line_rehearses(anywhere: Any, tmp_path: Any):
    history()
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES))

    told = anywhere("policy", "rehearse", "--rules", f"@{file}", "--session", "desk")
    document = anywhere("policy", "rehearse", "--policy", "manual", "--json").document["data"]

    assert told.out.splitlines()[-1] == "7 calls: 1 fewer, 2 missed, 1 more, 1 needless, 2 same"
    assert told.out.splitlines()[0].split() == [
        "TOOL",
        "CALL",
        "TOOL",
        "THEN",
        "NOW",
        "WHICH",
        "IS",
        "BY",
    ]
    assert document["counts"] == {"more": 2, "same": 5}


def test_the_command_line_rehearses_what_is_not_long_ago(anywhere: Any):
    history()
    history("other")
    long_ago = timezone.now() - timedelta(days=8)
    ToolCall.objects.filter(session__key="desk").update(created_at=long_ago)

    lately = anywhere("policy", "rehearse", "--policy", "manual", "--last", "7d", "-q")
    ever = anywhere("policy", "rehearse", "--policy", "manual", "-q")
    wrong = anywhere("policy", "rehearse", "--last", "soon")

    assert (lately.out, ever.out, wrong.code) == ("7\n", "14\n", 2)
