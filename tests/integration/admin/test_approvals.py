import asyncio
import json
import threading

import pytest

from sessions.core.freshness import Guard
from sessions.core.policy import Who
from sessions.core.tool_calls import Risk
from sessions.models import Agent, Approval, Grant
from sessions.selectors import situation
from sessions.services import approvals
from streaming import node as nodes
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub
from streaming.node import Node
from tests import asking, factories
from tests.integration.admin.help import text

INBOX = "/admin/aegis_sessions/approval/"
DECIDER = (
    "aegis_sessions.view_approval",
    "aegis_sessions.decide_approval",
)


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


@pytest.fixture
def run(team):
    return asking.run(factories.session(key="desk", name="Desk"))


def card(approval: Approval) -> str:
    return f"{INBOX}{approval.pk}/change/"


def said(approval: Approval, **more: str) -> dict[str, str]:
    return {"arguments": json.dumps(approval.tool_call.arguments), **more}


def test_the_inbox_shows_what_waits_and_what_was_decided(admin, run):
    waiting, decided = asking.approval(run), asking.approval(run)
    approvals.decide(principal=factories.OPERATOR, approval=decided, approved=False)

    inbox = admin.get(INBOX).content.decode()
    before = admin.get(f"{INBOX}?show=decided").content.decode()

    assert (str(waiting.pk) in inbox, str(decided.pk) in inbox) == (True, False)
    assert (str(waiting.pk) in before, str(decided.pk) in before) == (False, True)
    assert "symbol: BTC, quantity: 5" in text(inbox)
    assert "Desk" in inbox


def test_the_card_says_all_that_the_decision_is_about(admin, run):
    evidence = {"book.BTC": {"value": {"price": 100}, "ts": 5, "seq": 1}}
    approval = asking.approval(run, evidence=evidence, who=Who(four_eyes=True))

    shown = text(admin.get(card(approval)))

    assert "orders.place for trader" in shown
    assert "The rule orders of the policy desk asks for a decision." in shown
    assert "but nobody who caused the run" in shown
    assert "If nobody decides it is refused" in shown
    assert "book.BTC when asked {&quot;price&quot;: 100}" in shown
    assert "what it is now is not known here" in shown
    assert "This is the first." in shown


def test_a_call_is_approved_with_other_arguments_and_a_rule(admin, run):
    approval = asking.approval(run)

    answer = admin.post(
        card(approval),
        said(approval, arguments='{"symbol": "ETH", "quantity": 3}', reason="half")
        | {"remember": "session", "hours": "24", "approve": ""},
    )

    approval.refresh_from_db()
    grant = Grant.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, INBOX)
    assert (approval.state, approval.decided_by) == ("approved", "user:root")
    assert approval.edited_arguments == {"symbol": "ETH", "quantity": 3}
    assert grant.session == approval.session
    assert grant.until is not None


def test_a_call_is_rejected_with_a_reason_where_one_is_needed(admin, run):
    approval = asking.approval(run, who=Who(reason=True))

    without = admin.post(card(approval), said(approval, reject=""))
    given = admin.post(card(approval), said(approval, reject="", reason="too much"))

    approval.refresh_from_db()
    assert "A rejection needs a reason here." in text(without)
    assert (given.status_code, approval.state, approval.reason) == (302, "rejected", "too much")


def test_what_is_of_high_risk_is_not_approved_by_the_way(admin, run):
    approval = asking.approval(run, call=asking.asked(run, risk=Risk.HIGH))

    by_the_way = admin.post(card(approval), said(approval, approve=""))
    meant = admin.post(card(approval), said(approval, approve="", confirm="orders.place"))

    approval.refresh_from_db()
    assert "Write the name of the tool" in text(by_the_way)
    assert (meant.status_code, approval.state) == (302, "approved")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [('{"symbol": 1}', "INVALID_TOOL_ARGS"), ("{", "JSON"), ("[]", "must be a JSON object")],
)
def test_arguments_that_cannot_be_are_told_at_the_card(admin, run, arguments, told):
    approval = asking.approval(run)

    answer = admin.post(card(approval), {"arguments": arguments, "approve": ""})

    assert (answer.status_code, told in text(answer)) == (200, True)
    approval.refresh_from_db()
    assert approval.state == "pending"


def test_a_decision_that_somebody_else_made_is_shown(admin, run):
    approval = asking.approval(run)
    approvals.decide(
        principal=factories.member(run.session.team, label="ana"),
        approval=approval,
        approved=False,
        reason="no",
    )

    late = text(admin.post(card(approval), said(approval, approve="")))

    assert "APPROVAL_ALREADY_DECIDED" in late
    assert "rejected by ana" in late


@pytest.fixture
def hub():
    """A hub with topics in memory, on a loop of its own as in a server."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    node = Node(hub=Hub(engines=[MemoryEngine()]), jobs=[])
    node._loop = loop
    node.call(node.hub.start())
    nodes.install(node)
    yield node
    nodes.install(None)
    node.call(node.hub.stop(retry_ms=lambda: 0))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_what_has_to_be_looked_at_again_leads_to_the_new_card(admin, run, hub):
    key = (str(run.session_id), "book.BTC")
    hub.call(hub.hub.publish(key, [(5, b'{"price": 100}')]))
    pinned = hub.call(situation.newest(hub.hub, run.session_id, ["book.BTC", "nothing", "?"]))
    guard = Guard(topic="book.{symbol}", path="price", percent=2)
    approval = asking.approval(run, evidence=pinned, freshness=(guard,))

    calm = text(admin.get(card(approval)))
    hub.call(hub.hub.publish(key, [(6, b'{"price": 103}')]))
    moved = text(admin.get(card(approval)))
    answer = admin.post(card(approval), said(approval, approve=""), follow=True)

    new = Approval.objects.get(state="pending")
    assert pinned == {"book.BTC": {"value": {"price": 100}, "ts": 5, "seq": 1}}
    assert "What it rests on has moved." not in calm
    assert "now {&quot;price&quot;: 103}" in moved
    assert "What it rests on has moved." in moved
    assert answer.redirect_chain[0][0] == card(new)
    assert new.evidence == {"book.BTC": {"value": {"price": 103}, "ts": 6, "seq": 2}}
    assert admin.post(card(new), said(new, approve="")).status_code == 302


def test_nothing_is_approved_for_an_agent_that_is_gone(admin, run):
    approval = asking.approval(run)
    Agent.objects.update(is_active=False)

    answer = admin.post(card(approval), said(approval, approve=""))

    assert "Who asked for it is gone." in text(answer)


def test_a_claim_is_seen_and_given_back(admin, run):
    approval = asking.approval(run)

    admin.post(f"{INBOX}{approval.pk}/claim/")
    claimed = text(admin.get(card(approval)))
    admin.post(f"{INBOX}{approval.pk}/claim/", {"release": ""})
    approval.refresh_from_db()

    assert "Looked at by root" in claimed
    assert approval.claimed_by == ""


def test_who_may_only_decide_sees_the_card_and_nothing_else(client, person, run):
    client.force_login(person("decider", *DECIDER))
    approval = asking.approval(run)

    shown = client.get(card(approval))
    session = client.get(f"/admin/aegis_sessions/session/{run.session_id}/change/")
    decided = client.post(card(approval), said(approval, approve=""))

    assert shown.status_code == 200
    assert f"/admin/aegis_sessions/session/{run.session_id}" not in shown.content.decode()
    assert session.status_code in {302, 403, 404}
    assert decided.status_code == 302


def test_who_may_not_decide_reads_only(client, person, other_team, run):
    approval = asking.approval(run)
    client.force_login(person("viewer", "aegis_sessions.view_approval"))

    shown = text(client.get(card(approval)))
    refused = text(client.post(card(approval), said(approval, approve="")))
    client.force_login(person("stranger", *DECIDER, group=other_team))

    assert "Only who may decide on approvals decides." in shown
    assert "PERMISSION_DENIED" in refused
    assert client.get(card(approval)).status_code == 404
    client.force_login(person("nobody"))
    assert client.get(card(approval)).status_code == 403
