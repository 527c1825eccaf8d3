"""Where a request is seen, what a screen reader is told of it, and a feed that falls silent."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import LIST, Desk
from tests.browser.floor import INBOX, ORDER, card, row

# What stands inside of what has a name.
TEXTS = {"StaticText", "InlineTextBox", "LabelText", "none"}
# What live regions say from now on.
LISTEN = """() => {
  window.aegisHeard = [];
  const told = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=timer], [role=log]";
  const note = (all) => all.forEach((one) => window.aegisHeard.push(one.target.textContent));
  const what = { childList: true, subtree: true, characterData: true };
  for (const region of document.querySelectorAll(told)) new MutationObserver(note).observe(region, what);
}"""
TICKS = """() => new Promise((done) => {
  const clock = document.querySelector("#ae-head time[data-form=until]").firstChild.parentElement;
  let left = 2;
  new MutationObserver(() => (left -= 1) || done()).observe(clock, { childList: true, characterData: true, subtree: true });
})"""


def bar(desk: Desk, name: str) -> Any:
    return desk.page.locator(f"#ae-{name}")


def heard(desk: Desk, under: str) -> dict[str, tuple[str, str]]:
    """What a screen reader finds under an element: names, with their roles and descriptions."""
    cdp = desk.page.context.new_cdp_session(desk.page)
    root = cdp.send("DOM.getDocument")["root"]["nodeId"]
    found = cdp.send("DOM.querySelector", {"nodeId": root, "selector": under})
    tree = cdp.send("Accessibility.queryAXTree", {"nodeId": found["nodeId"]})
    said: dict[str, tuple[str, str]] = {}
    for node in tree["nodes"]:
        name, role, how = (
            node.get(key, {}).get("value", "") for key in ("name", "role", "description")
        )
        if not node["ignored"] and role not in TEXTS:
            said.setdefault(name, (role, how))
    return said


def test_ap1_request_appears_on_dashboard_and_session_page_and_in_their_titles(
    desk, floor, new_context, served
):
    context = new_context()
    deck, session = (Desk(context.new_page(), served.url) for _ in range(2))
    desk.open(INBOX).live()
    deck.open("/admin/").live()
    session.open(f"{LIST}{floor.session['id']}/change/").live()

    approval = floor.order()

    expect(row(desk, approval)).to_contain_text("symbol: BTC, quantity: 5")
    expect(deck.page.locator(f"#ae-waits-{approval['id']}")).to_contain_text("place_order")
    expect(session.page.locator("[data-word=waiting]").first).to_be_visible()
    expect(session.page.locator("body")).to_contain_text(re.compile("needs a decision"))
    for one in (desk, deck, session):
        expect(one.page).to_have_title(re.compile(r"^\(1\) "))
        expect(one.page.locator("#ae-waiting")).to_contain_text("1")
    floor.decide(approval, approved=False)

    for one in (desk, deck, session):
        expect(one.page).not_to_have_title(re.compile(r"^\("))
    expect(deck.page.locator(f"#ae-waits-{approval['id']}")).to_have_count(0)
    assert deck.faults == session.faults == []


def test_ap10_feed_that_falls_silent_turns_amber_and_approving_asks_for_a_fresh_look(
    desk, new_floor
):
    floor = new_floor(freshness=[{"topic": "book", "age_seconds": 8}])
    floor.api.post(
        f"sessions/{floor.session['id']}/topics/book", {"records": [{"data": {"bid": 1}}]}
    )
    approval = floor.order()
    desk.open(card(approval)).live()

    stale = bar(desk, "situation").locator(".ae-stale")
    expect(stale).to_have_text("silent")
    strip = bar(desk, "strip").locator("[data-tone=warn]")
    expect(strip).to_contain_text("book is silent.")
    expect(strip).to_contain_text("Approving asks once more")
    assert stale.evaluate("(one) => getComputedStyle(one).color") == "rgb(143, 86, 0)"
    desk.page.get_by_role("button", name="Re-check now").click()
    expect(bar(desk, "checked")).to_contain_text("Still so: book is silent.")
    expect(bar(desk, "checked")).to_have_attribute("role", "status")
    assert floor.state(approval) == "pending"
    bar(desk, "approve").click()

    expect(desk.page).not_to_have_url(re.compile(approval["id"]))
    desk.live()
    [again] = floor.waiting()
    expect(desk.page).to_have_url(re.compile(again["id"]))
    expect(desk.page.locator("body")).to_contain_text("Look at it again.")
    assert (floor.state(approval), floor.broker.calls) == ("cancelled", [])
    bar(desk, "approve").click()
    expect(bar(desk, "decided")).to_contain_text("Approved by you")


@pytest.mark.parametrize("where", ["inbox", "page"])
def test_ap11_screen_reader_has_a_name_and_a_role_for_every_decision(desk, floor, where):
    approval = floor.order()
    desk.open(INBOX if where == "inbox" else card(approval)).live()
    if where == "inbox":
        desk.page.keyboard.press("j")
    expect(bar(desk, "bar")).to_be_visible()

    decisions = heard(desk, "#ae-bar")
    assert decisions["Decision"] == ("group", "")
    for name in ("Reject…", "Claim", "Approve"):
        assert decisions[name][0] in {"button", "ToggleButton"}, name
    assert heard(desk, "#ae-hand")["Hand over"] == ("button", "")
    assert heard(desk, "#ae-hand")["Hand over to"][0] == "combobox"
    desk.page.keyboard.press("e")
    fields = heard(desk, "#ae-decision")
    roles = {name: fields[name][0] for name in ORDER}
    assert roles == {
        "symbol": "textbox",
        "quantity": "spinbutton",
        "limit": "spinbutton",
        "side": "combobox",
        "post_only": "checkbox",
        "legs": "textbox",
    }
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("r")
    asked = heard(desk, "#ae-ask")
    assert asked["Reject component.broker.place_order?"][0] == "dialog"
    assert asked["Reason optional"][0] == "textbox"
    assert (asked["Cancel"][0], asked["Reject"][0]) == ("button", "button")


def test_ap11_screen_reader_is_told_how_high_risk_is_approved(desk, floor):
    [approval] = floor.ask(("flatten", {}))
    desk.open(card(approval)).live()

    how = "Hold it for two seconds, or press it to write the name of the tool."
    assert heard(desk, "#ae-bar")["Hold to approve"] == ("button", how)
    # A screen reader presses, and holds nothing.
    bar(desk, "approve").evaluate("(button) => button.click()")

    asked = heard(desk, "#ae-ask")
    assert asked["Approve component.broker.flatten?"][0] == "dialog"
    assert asked["Write component.broker.flatten to approve"][0] == "textbox"
    assert floor.state(approval) == "pending"


@pytest.mark.parametrize("where", ["inbox", "page"])
def test_ap11_countdown_is_not_announced_while_it_ticks(desk, floor, where):
    approval = floor.order()
    desk.open(INBOX if where == "inbox" else card(approval)).live()
    expect(bar(desk, "bar")).to_be_visible()

    desk.page.evaluate(LISTEN)
    desk.page.evaluate(TICKS)

    assert [one for one in desk.page.evaluate("window.aegisHeard") if re.search(r"\d", one)] == []
    assert bar(desk, "head").locator(".ae-drain").get_attribute("aria-hidden") == "true"
