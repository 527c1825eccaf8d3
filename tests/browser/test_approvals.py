"""The card on which approvals are decided, by the names of their list."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.desk import Desk, until
from tests.browser.floor import INBOX, ORDER, card, row

BOX = "(name) => document.querySelector(name).getBoundingClientRect().toJSON()"


def bar(desk: Desk, name: str) -> Any:
    return desk.page.locator(f"#ae-{name}")


def test_ap1_ap3_expired_card_is_read_only_told_on_time_and_nobodys_no(desk, new_floor):
    floor = new_floor(seconds=4)
    approval = floor.order()
    desk.open(card(approval)).live()

    expect(bar(desk, "decided")).to_contain_text("Nobody decided in time")
    expect(bar(desk, "bar")).to_have_count(0)
    expect(desk.page.get_by_role("link", name="Ask the agent again")).to_be_visible()
    ended = floor.api.get(f"approvals/{approval['id']}")
    call = floor.api.get(f"tool-calls/{approval['tool_call']['id']}")
    assert (ended["state"], ended["decided_by"]) == ("expired", "system:approvals")
    assert (call["status"], call["error"]["code"]) == ("failed", "APPROVAL_TIMEOUT")
    assert floor.broker.calls == []


def test_ap2_somebody_who_was_faster_is_shown(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    # The page does not hear of it, as when it is held.
    desk.page.locator("#ae-hold").click()
    floor.decide(approval, approved=False, reason="Not now.")

    desk.page.locator("#ae-approve").click()

    expect(bar(desk, "problem")).to_contain_text("APPROVAL_ALREADY_DECIDED")
    desk.page.locator("#ae-hold").click()
    expect(bar(desk, "decided")).to_contain_text("Rejected by credential:tests")
    expect(bar(desk, "decided")).to_contain_text("“Not now.”")
    expect(bar(desk, "bar")).to_have_count(0)
    assert floor.broker.calls == []


def test_ap4_edited_number_and_nested_list_are_carried_out_with_their_types(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()

    desk.page.keyboard.press("e")
    desk.page.get_by_label("quantity", exact=True).fill("3")
    desk.page.get_by_label("side", exact=True).select_option("sell")
    desk.page.get_by_label("post_only", exact=True).uncheck()
    desk.page.get_by_label("legs", exact=True).fill('[{"size": 2}, {"size": 0.5}]')
    expect(bar(desk, "changes")).to_have_text("4 changes by you")
    diff = desk.page.locator("[data-argument='argument-1'] .ae-argument-value")
    expect(diff).to_have_text("53")
    expect(bar(desk, "digest")).to_have_text(approval["digest"][:8])
    expect(bar(desk, "digest-new")).to_have_text(re.compile("^[0-9a-f]{8}$"))
    expect(bar(desk, "digest-note")).to_contain_text("Only the second one can run.")
    expected = bar(desk, "digest-new").get_attribute("title")
    desk.page.locator("#ae-approve").click()

    edited = {
        "quantity": 3,
        "side": "sell",
        "post_only": False,
        "legs": [{"size": 2}, {"size": 0.5}],
    }
    until(lambda: floor.broker.calls)
    assert floor.broker.calls == [{**ORDER, **edited}]
    expect(desk.page.locator("#ae-what-part del")).to_have_text(
        ["5", "buy", "true", '[{"size": 1}]']
    )
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    expect(bar(desk, "decided").locator("[data-word=completed]").first).to_be_visible()
    digest = floor.api.get(f"approvals/{approval['id']}")["digest"]
    assert digest != approval["digest"]
    assert digest == expected
    entries = floor.api.get(f"audit?session={floor.session['id']}&command=approval.decide")["data"]
    told = entries[0]["detail"]
    assert (told["asked"], told["edited"]) == (ORDER, {**ORDER, **edited})
    assert told["digest"] == digest


def test_edit_that_cannot_be_is_told_at_its_field_and_undone(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    desk.page.keyboard.press("e")
    desk.page.get_by_label("legs", exact=True).fill("[")

    desk.page.locator("#ae-approve").click()

    fault = desk.page.locator("[data-argument='argument-5'] .ae-argument-fault")
    expect(fault).to_have_text("The JSON is malformed.")
    expect(desk.page.get_by_label("legs", exact=True)).to_be_focused()
    bar(desk, "undo").click()
    expect(fault).to_have_text("")
    expect(bar(desk, "approve").locator("span")).to_have_text("Approve")
    assert floor.state(approval) == "pending"


def test_ap6_rejection_needs_the_reason_that_the_agent_is_told(desk, new_floor):
    floor = new_floor(who={"reason": True})
    approval = floor.order()
    desk.open(card(approval)).live()

    desk.page.keyboard.press("r")
    expect(desk.page.get_by_label("Reason needed")).to_be_focused()
    expect(bar(desk, "ask-go")).to_be_disabled()
    desk.page.keyboard.type("Too much at once.")
    desk.page.get_by_role("dialog").get_by_role("button", name="Reject").click()

    expect(bar(desk, "decided")).to_contain_text("Rejected by you")
    expect(bar(desk, "decided")).to_contain_text("“Too much at once.”")
    expect(bar(desk, "card-title")).to_be_focused()
    assert floor.api.get(f"approvals/{approval['id']}")["reason"] == "Too much at once."
    assert floor.broker.calls == []


def test_ap11_ten_keys_sort_the_mail(desk, floor):
    first, second = floor.ask(("place_order", ORDER), ("place_order", {**ORDER, "quantity": 6}))
    desk.open(INBOX).live()

    desk.page.keyboard.press("j")
    expect(row(desk, first).locator("th a")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page).to_have_url(re.compile(first["id"]))
    desk.live()
    desk.page.keyboard.press("c")
    expect(bar(desk, "head")).to_contain_text("You are looking at this.")
    desk.page.keyboard.press("a")
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    expect(bar(desk, "next")).to_have_text("Next: component.broker.place_order")
    desk.page.keyboard.press("j")
    expect(desk.page).to_have_url(re.compile(second["id"]))
    desk.live()
    desk.page.keyboard.press("?")
    expect(desk.page.get_by_text("Reject, with a reason")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_be_hidden()
    desk.page.keyboard.press("r")
    expect(desk.page.locator("#id_reason")).to_be_focused()
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Tab")
    expect(bar(desk, "ask-go")).to_be_focused()
    desk.page.keyboard.press("Enter")

    expect(bar(desk, "decided")).to_contain_text("Rejected by you")
    assert (floor.state(first), floor.state(second)) == ("approved", "rejected")


def test_high_risk_is_approved_by_a_word_and_never_by_one_key(desk, floor):
    [approval] = floor.ask(("flatten", {"why": "the book stands still"}))
    desk.open(card(approval)).live()
    go = bar(desk, "ask-go")

    desk.page.keyboard.press("a")
    expect(bar(desk, "ask-cancel")).to_be_focused()
    expect(go).to_be_disabled()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("dialog")).to_be_hidden()
    assert floor.state(approval) == "pending"
    bar(desk, "approve").click()
    desk.page.locator("#id_confirm").fill("component.broker.flatten")
    go.click()

    expect(bar(desk, "decided")).to_contain_text("Approved by you")


def test_nothing_counts_as_decided_until_the_server_says_so(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    asked: list[Any] = []
    # Playwright marks what it calls, and a method of a list takes no marks.
    desk.page.route(f"**{card(approval)}", lambda route: asked.append(route))  # noqa: PLW0108

    bar(desk, "approve").click()

    expect(bar(desk, "note")).to_have_text("Recording…")
    expect(bar(desk, "approve")).to_be_disabled()
    assert (len(asked), floor.state(approval)) == (1, "pending")
    asked[0].abort()
    expect(bar(desk, "problem")).to_contain_text("The server did not answer.")
    expect(bar(desk, "approve")).to_be_enabled()
    assert floor.state(approval) == "pending"


def test_card_whose_socket_was_cut_folds_when_it_is_back(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    desk.page.context.set_offline(True)
    desk.page.evaluate("window.dispatchEvent(new Event('offline'))")
    floor.decide(approval, approved=True)

    desk.page.context.set_offline(False)

    expect(bar(desk, "decided")).to_contain_text("Approved by credential:tests")
    expect(bar(desk, "bar")).to_have_count(0)


def test_ap10_situation_moves_while_one_looks_at_it(desk, floor):
    records = f"sessions/{floor.session['id']}/topics/book"
    floor.api.post(records, {"records": [{"data": {"bid": 1}}]})
    approval = floor.order()
    desk.open(card(approval)).live()
    bid = bar(desk, "situation").get_by_role("row", name="bid")
    expect(bid).to_have_text(re.compile(r"bid\s+1\s+1\s+same"))

    floor.api.post(records, {"records": [{"data": {"bid": 2}}]})

    expect(bid).to_have_text(re.compile(r"bid\s+1\s+2\s+\+100\.00\s%"))


def test_ap8_rule_of_the_session_covers_its_next_call_and_stands_in_the_ledger(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    desk.page.get_by_text("Make a rule of this decision").click()
    desk.page.get_by_label("Covers").select_option("session")
    bar(desk, "approve").click()
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    until(lambda: floor.broker.calls)

    floor.say(("place_order", {**ORDER, "quantity": 8}))
    until(lambda: len(floor.broker.calls) == 2)

    [rule] = floor.api.get("grants")["data"][:1]
    events = floor.api.get(f"sessions/{floor.session['id']}/events")["data"]
    by = [one["data"].get("by") for one in events if one["type"] == "tool_call.approved"]
    assert by[-1] == f"grant/{rule['id']}"
    assert floor.waiting() == []


def test_nothing_is_approved_while_who_asked_is_gone(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    agent = f"agents/{floor.slug}"

    floor.api.call("PATCH", agent, {"is_active": False})
    expect(bar(desk, "gone")).to_contain_text(f"{floor.slug} is gone.")
    expect(bar(desk, "approve")).to_be_disabled()
    expect(bar(desk, "reject")).to_be_enabled()
    floor.api.call("PATCH", agent, {"is_active": True})

    expect(bar(desk, "approve")).to_be_enabled()


def test_card_at_320_has_its_decisions_under_the_thumb(new_context, served, floor):
    approval = floor.order()
    context = new_context(viewport={"width": 320, "height": 700})
    desk = Desk(context.new_page(), served.url).open(card(approval)).live()

    expect(bar(desk, "waiting-link")).to_have_text("1")
    expect(bar(desk, "waiting-link")).to_have_attribute("href", re.compile(f"{INBOX}$"))
    box = desk.page.evaluate(BOX, "#ae-bar")
    sizes = [desk.page.evaluate(BOX, f"#ae-{name}") for name in ("reject", "claim", "approve")]
    bar(desk, "approve").click()

    assert (box["bottom"], box["width"]) == (700, 320)
    assert min(size["height"] for size in sizes) >= 44
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
