"""Approvals: the count on every page, the inbox and the card, by the names of their list."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, until
from tests.browser.floor import INBOX, ORDER, Floor, card


@pytest.fixture
def new_floor(served, api) -> Iterator[Callable[..., Floor]]:
    """Make a session of its own, with what its only rule says beside that it asks."""
    made: list[Floor] = []

    def make(**rule: Any) -> Floor:
        made.append(Floor(api, served.ws_url, **rule))
        return made[-1]

    yield make
    for floor in made:
        floor.clear()


@pytest.fixture
def floor(new_floor: Callable[..., Floor]) -> Floor:
    return new_floor()


@pytest.fixture
def other_floor(new_floor: Callable[..., Floor]) -> Floor:
    """A session beside, because a run that waits lets the next one wait."""
    return new_floor()


def row(desk: Desk, approval: dict[str, Any]) -> Any:
    return desk.page.locator(f"tr:has([data-row='{approval['id']}'])")


# The inbox, and the count


def test_ap1_request_appears_in_inbox_sidebar_and_title_with_no_reload(desk, floor, other_floor):
    desk.open(INBOX).live()
    expect(desk.page.get_by_text("Nothing waits for you")).to_be_visible()
    expect(desk.page.locator("#ae-waiting")).to_be_hidden()

    first = floor.order()
    expect(row(desk, first)).to_contain_text("symbol: BTC, quantity: 5")
    second = other_floor.order(quantity=7)

    expect(row(desk, second)).to_contain_text("quantity: 7")
    expect(desk.page.locator("#ae-waiting")).to_contain_text("2")
    expect(desk.page).to_have_title("(2) Approvals | Aegis")


def test_request_lowers_and_raises_the_count_of_a_page_on_which_nothing_else_moves(desk, floor):
    desk.open("/admin/aegis_sessions/agent/")
    approval = floor.order()
    expect(desk.page).to_have_title(re.compile(r"^\(1\) "))
    expect(desk.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("waiting"))

    floor.decide(approval, approved=False)

    expect(desk.page).not_to_have_title(re.compile(r"^\("))
    expect(desk.page.locator("#ae-waiting")).to_be_hidden()


def test_row_that_somebody_decides_stays_and_says_how(desk, floor):
    approval = floor.order()
    desk.open(INBOX).live()

    floor.decide(approval, approved=False)

    expect(row(desk, approval).locator(".ae-chip")).to_have_attribute("data-word", "rejected")
    expect(row(desk, approval).locator(".field-claim_cell")).to_have_text("credential:tests")


def test_inbox_whose_socket_was_cut_catches_up(desk, floor, other_floor):
    decided = floor.order()
    desk.open(INBOX).live()
    desk.page.context.set_offline(True)
    desk.page.evaluate("window.dispatchEvent(new Event('offline'))")
    floor.decide(decided, approved=False)
    new = other_floor.order(quantity=9)

    desk.page.context.set_offline(False)

    expect(row(desk, new)).to_contain_text("quantity: 9")
    expect(row(desk, decided).locator(".ae-chip")).to_have_attribute("data-word", "rejected")
    expect(desk.page).to_have_title("(1) Approvals | Aegis")


# The card

BOX = "(name) => document.querySelector(name).getBoundingClientRect().toJSON()"


def bar(desk: Desk, name: str) -> Any:
    return desk.page.locator(f"#ae-{name}")


def test_ap1_expired_card_is_read_only_and_told_on_time(desk, new_floor):
    floor = new_floor(seconds=4)
    approval = floor.order()
    desk.open(card(approval)).live()

    expect(bar(desk, "decided")).to_contain_text("Nobody decided in time")
    expect(bar(desk, "bar")).to_have_count(0)
    expect(desk.page.get_by_role("link", name="Ask the agent again")).to_be_visible()
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
    assert floor.api.get(f"approvals/{approval['id']}")["digest"] != approval["digest"]


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
    expect(desk.page.get_by_label("Reason")).to_be_focused()
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
    desk.page.keyboard.press("r")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Tab")
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
    now = bar(desk, "situation").locator("td[data-label=now]")
    expect(now).to_contain_text('{"bid": 1}')

    floor.api.post(records, {"records": [{"data": {"bid": 2}}]})

    expect(now).to_contain_text('{"bid": 2}')
    expect(bar(desk, "situation").locator("td[data-label=asked]")).to_contain_text('{"bid": 1}')


def test_card_at_320_has_its_decisions_under_the_thumb(new_context, served, floor):
    approval = floor.order()
    context = new_context(viewport={"width": 320, "height": 700})
    desk = Desk(context.new_page(), served.url).open(card(approval)).live()

    box = desk.page.evaluate(BOX, "#ae-bar")
    sizes = [desk.page.evaluate(BOX, f"#ae-{name}") for name in ("reject", "claim", "approve")]
    bar(desk, "approve").click()

    assert (box["bottom"], box["width"]) == (700, 320)
    assert min(size["height"] for size in sizes) >= 44
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
