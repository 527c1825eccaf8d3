import asyncio
import re
import threading

import pytest
from django.utils import timezone

from sessions.admin.approval_form import DecideForm
from sessions.core.freshness import Guard
from sessions.core.policy import Who
from sessions.core.tool_calls import Risk
from sessions.core.tools import QUESTION
from sessions.models import Agent, Approval, Grant, Run, ToolCall
from sessions.selectors import situation
from sessions.services import approvals
from streaming import node as nodes
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub
from streaming.node import Node
from tests import asking, factories
from tests.asking import Asking
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
    """What the form of a card sends: its arguments as they stand in their fields."""
    form = DecideForm(approval=approval)
    fields = {row.field.name: row.field.initial for row in form.rows()}
    ticked = {name: "on" if value is True else value for name, value in fields.items()}
    return {"arguments": "1", **{k: v for k, v in ticked.items() if v is not False}, **more}


def told(answer) -> str:
    return str(answer.json()["error"]["code"])


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
    assert re.search(r"Nobody At \d\d:\d\d:\d\d it is refused\.", shown)
    assert "price 100" in shown
    assert "not known here" in shown
    assert "This is the first." in shown


def test_a_call_is_approved_with_other_arguments_and_a_rule(admin, run):
    approval = asking.approval(run)

    answer = admin.post(
        card(approval),
        said(approval, reason="half", remember="session", hours="24", approve="1")
        | {"argument-0": "ETH", "argument-1": "3"},
    )

    approval.refresh_from_db()
    grant = Grant.objects.get()
    assert (answer.json()["state"], answer.json()["is_open"]) == ("approved", False)
    assert "Approved by you" in text(answer.json()["parts"]["strip"])
    assert "<del>BTC</del>" in answer.json()["parts"]["what"]
    assert (approval.state, approval.decided_by) == ("approved", "user:root")
    assert approval.edited_arguments == {"symbol": "ETH", "quantity": 3}
    assert grant.session == approval.session
    assert grant.until is not None


def test_a_call_is_rejected_with_a_reason_where_one_is_needed(admin, run):
    approval = asking.approval(run, who=Who(reason=True))

    without = admin.post(card(approval), said(approval, reject=""))
    given = admin.post(card(approval), said(approval, reject="", reason="too much"))

    approval.refresh_from_db()
    assert without.json()["error"]["message"] == "A rejection needs a reason here."
    assert (given.status_code, approval.state, approval.reason) == (200, "rejected", "too much")


def test_what_is_of_high_risk_is_not_approved_by_the_way(admin, run):
    approval = asking.approval(run, call=asking.asked(run, risk=Risk.HIGH))

    by_the_way = admin.post(card(approval), said(approval, approve=""))
    meant = admin.post(card(approval), said(approval, approve="", confirm="orders.place"))

    approval.refresh_from_db()
    assert (by_the_way.status_code, told(by_the_way)) == (400, "VALIDATION_ERROR")
    assert (meant.status_code, approval.state) == (200, "approved")


@pytest.mark.parametrize(
    ("quantity", "code", "message"),
    [
        ("1.5", "VALIDATION_ERROR", "quantity: This is a whole number."),
        ("many", "VALIDATION_ERROR", "quantity: The JSON is malformed."),
        ("101", "INVALID_TOOL_ARGS", "$.quantity: 101 is greater than the maximum of 100"),
    ],
)
def test_arguments_that_cannot_be_are_told_at_the_card(admin, run, quantity, code, message):
    approval = asking.approval(run)

    answer = admin.post(card(approval), said(approval, approve="1") | {"argument-1": quantity})

    error = answer.json()["error"]
    assert (error["code"], error["message"]) == (code, message)
    assert (error["details"].get("fields") is not None) == (code == "VALIDATION_ERROR")
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

    late = admin.post(card(approval), said(approval, approve=""))
    shown = text(admin.get(card(approval)))

    assert told(late) == "APPROVAL_ALREADY_DECIDED"
    assert "Rejected by ana," in shown
    assert "“no”" in shown
    assert 'id="ae-decision"' not in admin.get(card(approval)).content.decode()


def test_an_expired_call_is_read_only_and_offers_to_ask_again(admin, run):
    approval = asking.approval(run, seconds=1)
    Approval.objects.update(expires_at=timezone.now())

    late = admin.post(card(approval), said(approval, approve=""))
    shown = admin.get(card(approval)).content.decode()

    assert told(late) == "APPROVAL_TIMEOUT"
    assert "so the system said that it is refused" in text(shown)
    assert f"/session/{run.session_id}/change/?tab=conversation" in shown
    assert 'id="ae-decision"' not in shown


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
    measured = admin.get(f"{INBOX}{approval.pk}/measure/").json()
    answer = admin.post(card(approval), said(approval, approve=""))

    new = Approval.objects.get(state="pending")
    assert pinned == {"book.BTC": {"value": {"price": 100}, "ts": 5, "seq": 1}}
    assert "What it rests on has moved." not in calm
    assert "price 100 103 +3.00 %" in moved
    assert "What it rests on has moved." in moved
    assert "Re-check now" in moved
    assert "+3.00" in measured["parts"]["situation"]
    assert measured["checked"].startswith("Measured again <time")
    assert measured["checked"].endswith("Still so: book.BTC has moved.")
    assert (told(answer), answer.json()["error"]["url"]) == ("APPROVAL_STALE", card(new))
    assert "Look at it again." in text(admin.get(card(new)))
    assert "It is asked again" in text(admin.get(card(approval)))
    assert new.evidence == {"book.BTC": {"value": {"price": 103}, "ts": 6, "seq": 2}}
    assert admin.post(card(new), said(new, approve="")).status_code == 200


def test_nothing_is_approved_for_an_agent_that_is_gone(admin, run):
    approval = asking.approval(run)
    Agent.objects.update(is_active=False)

    shown = admin.get(card(approval)).content.decode()
    answer = admin.post(card(approval), said(approval, approve=""))

    assert "trader is gone. Nothing is approved for it until it takes part again." in text(shown)
    assert 'aria-describedby="ae-gone" disabled' in " ".join(shown.split())
    assert answer.json()["error"]["message"] == "Who asked for it is gone."


def test_a_claim_is_seen_and_given_back(admin, run):
    approval = asking.approval(run)

    mine = admin.post(f"{INBOX}{approval.pk}/claim/").json()
    inbox = text(admin.get(f"{INBOX}?show=mine"))
    given_back = admin.post(f"{INBOX}{approval.pk}/claim/", {"release": ""}).json()
    approval.refresh_from_db()

    assert "You are looking at this." in mine["parts"]["head"]
    assert "with root" in text(mine["parts"]["queue"])
    assert "root" in inbox
    assert "looking at this" not in given_back["parts"]["head"]
    assert approval.claimed_by == ""


def test_what_is_handed_over_is_with_somebody_else(admin, run, person):
    person("ben", *DECIDER)
    approval = asking.approval(run)

    page = admin.get(card(approval)).content.decode()
    handed = admin.post(f"{INBOX}{approval.pk}/claim/", {"to": "user:ben"}).json()
    to_all = admin.post(f"{INBOX}{approval.pk}/claim/", {"to": "role:approver"}).json()
    mine = text(admin.get(f"{INBOX}?show=mine"))
    refused = admin.post(f"{INBOX}{approval.pk}/claim/", {"to": "zoe"})

    assert '<option value="user:ben">ben</option>' in page
    assert "This is with ben." in handed["parts"]["head"]
    assert "This is with every approver." in to_all["parts"]["head"]
    assert "orders.place" in mine
    assert told(refused) == "NOT_FOUND"


def test_what_agents_ask_is_in_the_inbox(admin, client, person, run):
    call = question(run)

    inbox = admin.get(INBOX).content.decode()
    client.force_login(person("decider", *DECIDER))
    without = client.get(INBOX).content.decode()

    assert f'data-question="{call.pk}"' in inbox
    assert "Where are you?" in inbox
    assert f"/session/{run.session_id}/change/?tab=conversation" in inbox
    assert "Where are you?" not in without


def question(run) -> ToolCall:
    """The question of a run that waits for an answer."""
    call = asking.asked(run, Asking(QUESTION, {"question": "Where are you?"}))
    ToolCall.objects.filter(pk=call.pk).update(source="builtin")
    Run.objects.filter(pk=run.pk).update(state="waiting", waiting_for="input")
    return call


def test_a_claim_of_what_is_decided_is_refused(admin, run):
    approval = asking.approval(run)
    approvals.decide(principal=factories.OPERATOR, approval=approval, approved=False)

    answer = admin.post(f"{INBOX}{approval.pk}/claim/")

    assert told(answer) == "APPROVAL_ALREADY_DECIDED"


def test_the_last_five_decisions_on_the_tool_are_told_with_what_came_of_them(admin, run):
    for number in range(6):
        approvals.decide(
            principal=factories.OPERATOR,
            approval=asking.approval(run),
            approved=False,
            reason=f"reason {number}",
        )

    shown = text(admin.get(card(asking.approval(run))))

    assert [number for number in range(6) if f"reason {number}" in shown] == [1, 2, 3, 4, 5]
    assert "Rejected by operator, then rejected" in shown


def test_ap9_who_decides_is_whoever_is_signed_in_whatever_the_form_says(admin, run):
    approval = asking.approval(run)

    admin.post(card(approval), said(approval, approve="", decided_by="user:ana", decider="7"))

    approval.refresh_from_db()
    assert (approval.decided_by, approval.state) == ("user:root", "approved")


def test_ap13_who_may_only_decide_sees_the_card_and_nothing_else(client, person, run):
    client.force_login(person("decider", *DECIDER))
    approval = asking.approval(run)

    shown = client.get(card(approval))
    session = client.get(f"/admin/aegis_sessions/session/{run.session_id}/change/")
    decided = client.post(card(approval), said(approval, approve=""))

    assert shown.status_code == 200
    assert f"On the timeline position {approval.seq}" in text(shown)
    assert "orders.place needs a decision" in text(shown)
    assert f"/admin/aegis_sessions/session/{run.session_id}" not in shown.content.decode()
    assert session.status_code in {302, 403, 404}
    assert decided.json()["state"] == "approved"


def test_who_may_not_decide_reads_only(client, person, other_team, run):
    approval = asking.approval(run)
    client.force_login(person("viewer", "aegis_sessions.view_approval"))

    shown = text(client.get(card(approval)))
    refused = client.post(card(approval), said(approval, approve=""))
    client.force_login(person("stranger", *DECIDER, group=other_team))

    assert "Only who may decide on approvals decides." in shown
    assert told(refused) == "PERMISSION_DENIED"
    assert client.get(card(approval)).status_code == 404
    client.force_login(person("nobody"))
    assert client.get(card(approval)).status_code == 403
