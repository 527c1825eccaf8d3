"""The dashboard as people use it: what waits, what is broken, what runs."""

import re

from playwright.sync_api import expect

from tests.browser.desk import Scripted, until
from tests.browser.floor import card, note

DECK = "/admin/"
COLOUR_WHEN_STALE = """one => {
  document.body.dataset.stale = "";
  return getComputedStyle(one).color;
}"""


def test_d1_a_session_that_starts_appears_by_itself_and_leads_to_its_page(desk, api):
    desk.open(DECK).live()

    made = api.session()
    api.post(f"sessions/{made['id']}/start")

    shown = desk.page.locator(f"#ae-runs-{made['id']}")
    expect(shown).to_contain_text("stream")
    happened = desk.page.locator(f"#ae-deck-happened li[data-session='{made['id']}']")
    expect(happened.first).to_contain_text("Session runs")
    shown.locator("a").click()
    expect(desk.page.locator("#ae-title")).to_contain_text(made["name"])


def test_d2_a_component_that_falls_silent_is_broken_with_its_reason(desk, api, served):
    session = api.session()
    component = Scripted(served.ws_url, api.token_of(session), "meter", "risk").register()
    # Whoever has beaten once is missed when no beat follows.
    component.hello().subscribe().ready().beat()
    api.post(f"sessions/{session['id']}/start")
    desk.open(DECK).live()

    row = desk.page.locator("#ae-deck-broken .ae-deck-row", has_text=session["name"])
    expect(row).to_contain_text(re.compile(r"(Lost|Failed)\s+meter optional in "))
    api.post(f"sessions/{session['id']}/end")

    expect(row).to_have_count(0)
    component.close()


def test_d3_what_waits_is_counted_in_shell_title_and_section_together(desk, api):
    desk.open(DECK).live()
    approval = note(api)
    row = desk.page.locator(f"#ae-waits-{approval['id']}")

    expect(row).to_contain_text("post_note")
    count = desk.page.locator("#ae-deck-waiting-count").inner_text()
    until(lambda: desk.page.locator("#ae-waiting").get_attribute("data-count") == count)
    assert desk.page.title().startswith(f"({count}) ")
    api.post(f"approvals/{approval['id']}/decide", {"approved": False, "reason": "No."})

    expect(row).to_have_count(0)
    fewer = int(count) - 1
    until(lambda: desk.page.locator("#ae-waiting").get_attribute("data-count") == str(fewer))
    expect(desk.page.locator("#ae-deck-waiting-count")).to_have_text(str(fewer) if fewer else "")
    until(lambda: desk.page.title().startswith(f"({fewer}) ") == bool(fewer))
    assert not desk.page.title().startswith(f"({count}) ")


def test_d5_page_that_slept_comes_back_in_order_and_with_nothing_twice(desk, api):
    session = api.session()
    desk.open(DECK).live()
    asleep = desk.page.context.new_cdp_session(desk.page)
    asleep.send("Page.setWebLifecycleState", {"state": "frozen"})
    for verb in ("start", "pause", "start", "stop"):
        api.post(f"sessions/{session['id']}/{verb}")

    asleep.send("Page.setWebLifecycleState", {"state": "active"})

    rows = desk.page.locator(f"#ae-deck-happened li[data-session='{session['id']}']")
    expect(rows.first).to_contain_text("Session stopped")
    shown = rows.evaluate_all("all => all.map((one) => Number(one.dataset.seq))")
    assert shown == sorted(set(shown), reverse=True)
    heads = [one["seq"] for one in api.get(f"sessions/{session['id']}/events")["data"]]
    assert shown[0] == max(heads)


def test_review_leads_to_the_card_and_pause_all_asks_first(desk, api):
    approval = note(api)
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    desk.open(DECK).live()
    review = desk.page.locator(f"#ae-waits-{approval['id']} .ae-button")
    review.evaluate("one => one.dataset.kind = 'people'")

    assert review.evaluate(COLOUR_WHEN_STALE) == "rgb(255, 255, 255)"
    review.click()
    desk.page.wait_for_url(f"**{card(approval)}")
    desk.open(DECK).live()
    desk.page.get_by_role("button", name="Pause all…").click()

    expect(desk.page.locator("main")).to_contain_text(session["name"])
    assert api.get(f"sessions/{session['id']}")["state"] == "running"
    api.post(f"sessions/{session['id']}/end")
    api.post(f"approvals/{approval['id']}/decide", {"approved": False, "reason": "No."})


def test_what_the_demo_is_stands_on_the_page_until_somebody_hides_it(desk, api):
    session = api.session()
    api.post(f"sessions/{session['id']}/tags", {"tags": ["demo"]})
    desk.open(DECK).live()
    strip = desk.page.locator(".ae-demo")
    expect(strip).to_have_count(0)

    api.post(f"sessions/{session['id']}/start")

    expect(strip).to_contain_text("nothing leaves this machine")
    desk.session(session).live()
    expect(strip).to_be_visible()
    desk.page.get_by_role("button", name="Hide what the demo is").press("Enter")
    expect(strip).to_be_hidden()
    desk.open(DECK).live()
    expect(desk.page.locator(f"#ae-runs-{session['id']}")).to_be_visible()
    expect(strip).to_be_hidden()
    api.post(f"sessions/{session['id']}/end")


def test_on_a_small_screen_what_is_less_urgent_is_folded(desk, api):
    # Where nothing ever was there are no sections.
    api.session()
    desk.page.set_viewport_size({"width": 320, "height": 800})
    desk.open(DECK).live()

    assert desk.page.locator("#ae-section-waiting").evaluate("one => one.open")
    pulse = desk.page.locator("#ae-section-pulse")
    assert not pulse.evaluate("one => one.open")
    expect(pulse.locator("summary")).to_contain_text("records per second")
    pulse.locator("summary").press("Enter")

    expect(pulse.locator("tr[data-row=records]")).to_be_visible()
