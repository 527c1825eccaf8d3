import pytest

from sessions.core.freshness import Guard
from sessions.core.tool_calls import Risk
from sessions.models import Approval, Grant, Policy
from tests import asking, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def waiting(**said) -> Approval:
    return asking.approval(asking.run(factories.session(key="desk")), **said)


def test_what_waits_is_listed(aegis):
    approval = waiting(seconds=900)

    listed = aegis("approval", "list")
    as_json = aegis("approval", "list", "--session", "desk", "--json").document
    quiet = aegis("approval", "list", "--expiring", "60", "-q")
    mine = aegis("approval", "list", "--mine", "-q")

    row = listed.out.splitlines()[1].split()
    assert row[:6] == [str(approval.pk), "desk", "trader", "orders.place", "medium", "pending"]
    assert [one["id"] for one in as_json["data"]] == [str(approval.pk)]
    assert (quiet.out, mine.out) == ("", "")


def test_an_approval_is_shown_with_what_it_rests_on(aegis):
    evidence = {"book.BTC": {"value": {"price": 100}, "ts": 5, "seq": 1}}
    approval = waiting(evidence=evidence)

    shown = aegis("approval", "show", str(approval.pk))
    document = aegis("approval", "show", str(approval.pk), "--json").document["data"]

    assert "trader in desk asks for orders.place (medium risk)" in shown.out
    assert "  quantity = 5" in shown.out
    assert 'book.BTC: then {"price":100}, now unknown' in shown.out
    assert (document["evidence"], document["now"]) == (evidence, None)


def test_an_approval_is_approved_with_an_edit_and_becomes_a_rule(aegis):
    approval = waiting()

    words = ["--edit", "quantity=3", "--edit", "symbol=ETH", "--remember", "session"]
    told = aegis("approval", "approve", str(approval.pk), *words, "--reason", "half")

    approval.refresh_from_db()
    assert told.code == 0
    assert approval.edited_arguments == {"quantity": 3, "symbol": "ETH"}
    assert (approval.state, approval.reason) == ("approved", "half")
    assert approval.decided_by.startswith("system:cli (")
    assert Grant.objects.get().session == approval.session
    shown = aegis("approval", "show", str(approval.pk)).out
    assert f"approved by {approval.decided_by}: half" in shown


def test_an_approval_is_rejected_once(aegis):
    approval = waiting()

    first = aegis("approval", "reject", str(approval.pk), "--reason", "no")
    again = aegis("approval", "approve", str(approval.pk))

    assert (first.code, again.code) == (0, 5)
    assert "APPROVAL_ALREADY_DECIDED" in again.err


def test_several_are_decided_at_once_and_each_is_told(aegis):
    first = waiting()
    second = asking.approval(first.run)
    high = asking.approval(first.run, call=asking.asked(first.run, risk=Risk.HIGH))
    ids = [str(one.pk) for one in (first, second, high)]

    would = aegis("approval", "approve", *ids, "--dry-run")
    planned = aegis("approval", "approve", *ids, "--dry-run", "--json").document["data"]
    before = set(Approval.objects.values_list("state", flat=True))
    told = aegis("approval", "approve", *ids, "--reason", "fine", "--json")
    again = aegis("approval", "reject", *ids[:2])

    assert would.out.splitlines()[3].endswith("What is of high risk is approved alone.")
    assert (planned["plan"]["count"], before) == (2, {"pending"})
    assert (told.code, again.code) == (7, 5)
    assert [one["reason"] for one in told.document["data"]] == ["fine", "fine"]
    assert list(told.document["meta"]["refused"]) == [ids[2]]
    assert "0 ok, 2 refused" in again.err


def test_of_several_no_arguments_are_edited(aegis):
    first = waiting()
    ids = [str(first.pk), str(asking.approval(first.run).pk)]

    assert aegis("approval", "approve", *ids, "--edit", "quantity=3").code == 2
    assert aegis("approval", "reject", *ids, "-q").out.split() == ids


def test_an_approval_is_claimed_and_given_back(aegis):
    approval = waiting()

    aegis("approval", "claim", str(approval.pk))
    mine = aegis("approval", "list", "--mine", "-q").out.split()
    aegis("approval", "claim", str(approval.pk), "--release")

    approval.refresh_from_db()
    assert (mine, approval.claimed_by) == ([str(approval.pk)], "")


def test_an_approval_is_handed_over(anywhere):
    approval = waiting()

    told = anywhere("approval", "hand-over", str(approval.pk), "role:approver", "--json").document
    refused = anywhere("approval", "hand-over", str(approval.pk)[:8], "nobody")
    approval.refresh_from_db()

    assert told["data"]["claimed_by"] == approval.claimed_by == "role:approver"
    assert refused.code == 3


def test_what_an_approver_was_left_is_theirs(aegis):
    approval = waiting()
    aegis("approval", "hand-over", str(approval.pk), "role:approver")

    assert aegis("approval", "list", "--mine", "-q").out.split() == [str(approval.pk)]


def test_what_rests_on_topics_is_decided_where_they_can_be_seen(aegis):
    approval = waiting(
        evidence={"book.BTC": {"value": 1, "ts": 5, "seq": 1}},
        freshness=(Guard(topic="book.BTC"),),
    )

    told = aegis("approval", "approve", str(approval.pk))

    approval.refresh_from_db()
    assert (told.code, approval.state) == (8, "pending")


def test_an_edit_that_is_none_is_refused(aegis):
    assert aegis("approval", "approve", str(waiting().pk), "--edit", "quantity").code == 2


def test_policies_are_listed_shown_and_tried(aegis):
    rules = [
        {
            "verdict": "deny",
            "tool": "orders.*",
            "arguments": [{"path": "quantity", "op": "gt", "value": 100}],
        }
    ]
    Policy.objects.create(slug="desk", rules=rules)

    listed = aegis("policy", "list", "-q").out.split()
    shown = aegis("policy", "show", "desk").out
    over = ["--policy", "desk", "--arguments", '{"quantity": 101}']
    denied = aegis("policy", "test", "orders.place", *over)
    asked = aegis("policy", "test", "orders.place", "--policy", "desk", "--json").document

    assert listed == ["auto", "desk", "manual"]
    assert shown.startswith('1. {"verdict":"deny"')
    assert denied.out.strip() == "deny by desk/1"
    assert (asked["data"]["verdict"], asked["data"]["rule"]) == ("approve", "default/ask")
    assert aegis("policy", "test", "x", "--arguments", "[]").code == 2
    assert aegis("policy", "show", "nowhere").code == 3


def test_rules_made_from_decisions_are_listed_and_taken_back(aegis):
    approval = waiting()
    aegis("approval", "approve", str(approval.pk), "--remember", "session")
    grant = Grant.objects.get()

    listed = aegis("policy", "grants").out
    told = aegis("policy", "revoke", str(grant.pk)[:8])

    assert f"session {approval.session_id}" in listed
    assert told.out.split() == [str(grant.pk), "orders.place", "taken", "back"]
    assert aegis("policy", "grants", "-q").out == ""
