"""The card beside the inbox: it follows what is chosen, and so does the address."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.floor import INBOX, ORDER, card, row

STAYS = "window.aegisStays = true"


def both(floor):
    """Two approvals of one answer, in their order in the inbox."""
    return floor.ask(("place_order", ORDER), ("place_order", {**ORDER, "quantity": 6}))


def quantity(desk: Desk):
    """What the card says of the quantity."""
    return desk.page.locator("#ae-decision [data-argument='argument-1'] .ae-argument-was")


def test_card_follows_the_selection_and_back_leads_to_the_one_before(desk, floor):
    first, second = both(floor)
    desk.open(INBOX).live()
    desk.page.evaluate(STAYS)
    expect(quantity(desk)).to_have_text("5")
    expect(desk.page).to_have_url(re.compile(f"{INBOX}$"))

    desk.page.keyboard.press("j")
    expect(desk.page).to_have_url(re.compile(f"card={first['id']}"))
    desk.page.keyboard.press("j")
    expect(quantity(desk)).to_have_text("6")
    expect(desk.page).to_have_url(re.compile(f"card={second['id']}"))
    expect(row(desk, second).locator("th a")).to_have_attribute("aria-current", "true")
    desk.page.keyboard.press("k")
    expect(quantity(desk)).to_have_text("5")
    desk.page.go_back()

    expect(quantity(desk)).to_have_text("6")
    assert desk.page.evaluate("window.aegisStays") is True
    desk.page.reload()
    expect(quantity(desk)).to_have_text("6")


def test_row_that_is_clicked_is_decided_on_beside_the_list(desk, floor):
    _, second = both(floor)
    desk.open(INBOX).live()
    desk.page.evaluate(STAYS)

    row(desk, second).locator(".field-risk_cell").click()
    expect(quantity(desk)).to_have_text("6")
    desk.page.locator("#ae-approve").click()

    expect(desk.page.locator("#ae-decided")).to_contain_text("Approved by you")
    expect(row(desk, second).locator(".ae-chip")).to_have_attribute("data-word", "approved")
    desk.page.locator("#ae-next").click()
    expect(quantity(desk)).to_have_text("5")
    assert desk.page.evaluate("window.aegisStays") is True


def test_card_beside_folds_when_somebody_else_decides_and_stays_when_another_one_comes(
    desk, floor, other_floor
):
    chosen = floor.order()
    desk.open(INBOX).live()
    desk.page.keyboard.press("j")
    desk.live()

    new = other_floor.order(quantity=7)
    expect(row(desk, new)).to_contain_text("quantity: 7")
    expect(quantity(desk)).to_have_text("5")
    floor.decide(chosen, approved=False, reason="Not now.")

    expect(desk.page.locator("#ae-decided")).to_contain_text("Rejected by credential:tests")
    expect(desk.page.locator("#ae-decided")).to_contain_text("“Not now.”")
    expect(desk.page.locator("#ae-bar")).to_have_count(0)


def test_first_request_of_an_empty_inbox_comes_with_its_card(desk, floor):
    desk.open(INBOX).live()
    expect(desk.page.locator("#ae-pane")).to_contain_text("What is chosen in the list")

    floor.order(quantity=8)

    expect(quantity(desk)).to_have_text("8")


def test_key_decides_on_nothing_that_nobody_chose(desk, floor):
    approval = floor.order()
    desk.open(INBOX).live()
    expect(quantity(desk)).to_have_text("5")

    desk.page.keyboard.press("a")
    expect(desk.page).to_have_url(re.compile(f"card={approval['id']}"))
    assert floor.state(approval) == "pending"
    desk.page.keyboard.press("a")

    expect(desk.page.locator("#ae-decided")).to_contain_text("Approved by you")


def test_card_that_does_not_come_is_told_and_can_be_chosen_again(desk, floor):
    first, second = both(floor)
    desk.open(INBOX).live()
    pattern = f"**{INBOX}{second['id']}/card/"
    desk.page.route(pattern, lambda route: route.abort())

    row(desk, second).locator("th a").click()
    expect(desk.page.locator("#ae-problem")).to_contain_text("The server did not answer.")
    desk.page.unroute(pattern)
    row(desk, second).locator("th a").click()

    expect(quantity(desk)).to_have_text("6")
    assert (floor.state(first), floor.state(second)) == ("pending", "pending")


def test_decision_that_fails_after_somebody_went_on_is_told_with_its_tool(desk, floor):
    first, _ = both(floor)
    desk.open(INBOX).live()
    asked: list[Any] = []
    # Playwright marks what it calls, and a method of a list takes no marks.
    desk.page.route(f"**{card(first)}", lambda route: asked.append(route))  # noqa: PLW0108
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("a")
    expect(desk.page.locator("#ae-note")).to_have_text("Recording…")

    desk.page.keyboard.press("j")
    expect(quantity(desk)).to_have_text("6")
    asked[0].abort()

    problem = desk.page.locator("#ae-problem")
    expect(problem).to_contain_text("component.broker.place_order: The server did not answer.")
    assert floor.state(first) == "pending"


def test_inbox_stands_by_risk_and_is_narrowed_to_an_agent(desk, floor, other_floor):
    order, high = floor.ask(("place_order", ORDER), ("flatten", {}))
    other = other_floor.order()
    desk.open(INBOX).live()

    desk.page.get_by_role("navigation", name="Order").get_by_role("link", name="Risk").click()
    desk.live()
    shown = desk.page.locator("#result_list [data-row]").evaluate_all(
        "all => all.map((one) => one.dataset.row)"
    )
    assert (shown[0], set(shown[1:])) == (high["id"], {order["id"], other["id"]})
    expect(desk.page.locator("#ae-inbox")).to_contain_text("Sorted by risk.")
    desk.page.get_by_text("Filters").first.click()
    desk.page.get_by_role("link", name=other_floor.slug).click()

    desk.live()
    expect(desk.page.locator("#result_list [data-row]")).to_have_count(1)
    expect(row(desk, other)).to_be_visible()


def test_at_320_the_list_leads_to_the_card_on_a_page_of_its_own(new_context, served, floor):
    approval = floor.order()
    page = new_context(viewport={"width": 320, "height": 700}).new_page()
    desk = Desk(page, served.url).open(INBOX).live()
    expect(page.locator("#ae-pane .ae-card")).to_have_count(0)

    row(desk, approval).locator(".field-risk_cell").click()
    page.wait_for_url(f"**{card(approval)}")
    desk.open(f"{INBOX}?card={approval['id']}")

    page.wait_for_url(f"**{card(approval)}")
    assert desk.faults == []


def test_header_tabs_and_foot_say_which_card_it_is_and_how_much_waits(desk, floor):
    first, second = both(floor)
    desk.open(INBOX).live()
    crumb = desk.page.locator("#header-inner h1")
    team, today = desk.page.locator("#ae-team"), desk.page.locator("#ae-today")
    waits = int(team.inner_text())
    expect(crumb).to_contain_text("place_order")

    desk.page.keyboard.press("j")
    desk.live()
    desk.page.keyboard.press("c")
    expect(desk.page.locator("#ae-mine")).to_have_text("1")
    floor.decide(first, approved=False, reason="Not now.")

    expect(team).to_have_text(str(waits - 1))
    expect(today).not_to_have_text("none")
    expect(desk.page.locator("#ae-last")).to_contain_text("by credential:tests.")
    desk.page.get_by_role("link", name="Decided today").click()
    desk.live()
    expect(row(desk, first)).to_be_visible()
    expect(row(desk, second)).to_have_count(0)
