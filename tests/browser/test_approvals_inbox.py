"""The inbox of approvals and the count on every page, by the names of their list."""

import re

from playwright.sync_api import expect

from tests.browser.floor import INBOX, ORDER, row


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


def test_ap7_two_of_three_are_decided_in_one_go_and_the_run_goes_on_waiting(desk, floor):
    first, second, high = floor.ask(
        ("place_order", ORDER), ("place_order", {**ORDER, "quantity": 6}), ("flatten", {})
    )
    desk.open(INBOX).live()

    for approval in (first, second, high):
        row(desk, approval).locator("th a").focus()
        desk.page.keyboard.press("x")
    desk.page.locator("#changelist-actions button[value=approve]").click()
    batch = desk.page.locator("#ae-batch")
    expect(batch.get_by_role("heading", level=2)).to_have_text("Approve 2 calls?")
    expect(batch).to_contain_text("0 runs go on, 1 waits for more.")
    expect(batch).to_contain_text("What is of high risk is approved alone.")
    assert floor.state(first) == "pending"
    batch.get_by_label("Reason").fill("Both are small.")
    desk.page.get_by_role("button", name="Approve 2 calls").click()

    expect(desk.page.locator("h2.ae-title")).to_have_text("2 approved, 1 refused")
    assert [floor.state(one) for one in (first, second, high)] == [
        *("approved", "approved", "pending")
    ]
    [run] = floor.api.get(f"sessions/{floor.session['id']}/runs")["data"]
    assert (run["state"], floor.broker.calls) == ("waiting", [])


def test_what_comes_while_one_looks_can_be_selected_too(desk, floor, other_floor):
    first = floor.order()
    desk.open(INBOX).live()
    new = other_floor.order(quantity=9)
    expect(row(desk, new)).to_be_visible()

    for approval in (first, new):
        row(desk, approval).locator("input.action-select").check()
    expect(desk.page.locator(".action-counter")).to_have_text("2 of 2 selected")
    desk.page.locator("#changelist-actions button[value=reject]").click()
    desk.page.get_by_role("button", name="Reject 2 calls").click()

    expect(desk.page.locator("h2.ae-title")).to_have_text("2 rejected, 0 refused")
    assert (floor.state(first), other_floor.state(new)) == ("rejected", "rejected")


def test_panel_says_what_several_decisions_would_reach(desk, floor, other_floor):
    first, high = floor.ask(("place_order", ORDER), ("flatten", {}))
    other = other_floor.order(quantity=9)
    desk.open(INBOX).live()
    blast = desk.page.locator("#ae-blast")
    approve = desk.page.locator("#changelist-actions button[value=approve]")

    row(desk, high).locator("input.action-select").check()
    expect(blast).to_contain_text("1 call of high risk: approved alone, on its card.")
    expect(approve).to_be_disabled()
    row(desk, first).locator("input.action-select").check()
    expect(blast).to_contain_text(floor.session["key"])
    expect(approve).to_have_text("Approve 1…")
    row(desk, other).locator("input.action-select").check()

    expect(blast).to_contain_text(other_floor.slug)
    expect(blast).to_contain_text("development")
    expect(approve).to_have_text("Approve 2…")
    expect(desk.page.locator("#changelist-actions button[value=reject]")).to_have_text("Reject 3…")
    row(desk, high).locator("input.action-select").uncheck()
    expect(blast).not_to_contain_text("high risk")
