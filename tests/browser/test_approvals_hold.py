"""High risk is held for two seconds or written out; how much time is left is a bar, too."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.floor import Floor, card

# What the note of the bar and the button have said since.
REMEMBER = """() => {
  window.aegisSaid = [];
  const note = (all) => all.forEach((one) => window.aegisSaid.push(one.target.textContent));
  const what = { childList: true, characterData: true, subtree: true };
  for (const said of document.querySelectorAll("#ae-note, #ae-approve [data-left]"))
    new MutationObserver(note).observe(said, what);
}"""
SCALE = "(bar) => new DOMMatrix(getComputedStyle(bar).transform).a"


def bar(desk: Desk, name: str) -> Any:
    return desk.page.locator(f"#ae-{name}")


def flatten(desk: Desk, floor: Floor) -> dict[str, Any]:
    """The card of what is of high risk."""
    [approval] = floor.ask(("flatten", {"why": "the book stands still"}))
    desk.open(card(approval)).live()
    return approval


def said(desk: Desk) -> list[str]:
    return list(desk.page.evaluate("window.aegisSaid"))


def test_what_is_of_high_risk_is_approved_by_a_button_that_is_held(desk, floor):
    flatten(desk, floor)
    desk.page.evaluate(REMEMBER)
    bar(desk, "approve").hover()

    desk.page.mouse.down()

    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    desk.page.mouse.up()
    expect(desk.page.get_by_role("dialog")).to_be_hidden()
    assert said(desk)[0] == "Keep holding…"
    assert floor.broker.calls == [{"why": "the book stands still"}]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_key_that_is_held_approves(desk, floor, key):
    flatten(desk, floor)
    bar(desk, "approve").focus()

    desk.page.keyboard.down(key)

    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    desk.page.keyboard.up(key)
    expect(desk.page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("key", ["Enter", " "])
def test_key_that_is_only_pressed_asks_for_the_word(desk, floor, key):
    approval = flatten(desk, floor)
    bar(desk, "approve").focus()

    desk.page.keyboard.press(key)

    expect(bar(desk, "ask-cancel")).to_be_focused()
    expect(bar(desk, "ask-go")).to_be_disabled()
    assert floor.state(approval) == "pending"


def test_hold_that_slips_off_the_button_decides_and_asks_nothing(desk, floor):
    approval = flatten(desk, floor)
    desk.page.evaluate(REMEMBER)
    bar(desk, "approve").hover()

    desk.page.mouse.down()
    desk.page.mouse.move(700, 300)

    expect(bar(desk, "approve")).not_to_have_attribute("data-holding", "")
    expect(bar(desk, "note")).to_have_text("")
    desk.page.mouse.up()
    expect(desk.page.get_by_role("dialog")).to_be_hidden()
    assert "Keep holding…" in said(desk)
    assert floor.state(approval) == "pending"


def test_hold_says_what_is_left_and_nothing_moves_for_who_wants_that(new_context, served, floor):
    page = new_context(reduced_motion="reduce").new_page()
    desk = Desk(page, served.url)
    flatten(desk, floor)
    ring, drain = page.locator(".ae-ring circle").last, page.locator(".ae-drain i")
    bar(desk, "approve").evaluate("(one) => one.setAttribute('data-holding', '')")
    moving = ring.evaluate("(one) => getComputedStyle(one).animationName")
    draining = drain.evaluate("(one) => getComputedStyle(one).transitionDuration")
    desk.page.evaluate(REMEMBER)

    bar(desk, "approve").hover()
    page.mouse.down()
    expect(bar(desk, "decided")).to_contain_text("Approved by you")

    assert (moving, draining) == ("none", "0s")
    assert "1 s" in said(desk)
    assert desk.faults == []


def test_bar_of_the_clock_drains_and_is_not_read(desk, new_floor):
    floor = new_floor(seconds=120)
    approval = floor.order()
    desk.open(card(approval)).live()
    left = desk.page.locator(".ae-drain i")

    before = left.evaluate(SCALE)
    desk.page.wait_for_function(
        f"before => ({SCALE})(document.querySelector('.ae-drain i')) < before", arg=before
    )

    expect(desk.page.locator(".ae-drain")).to_have_attribute("aria-hidden", "true")
    assert 0 < before <= 1


def test_moment_that_was_measured_is_told_in_the_form_of_the_page(desk, floor):
    records = {"records": [{"data": {"bid": 1, "time": 1767229379999}}]}
    floor.api.post(f"sessions/{floor.session['id']}/topics/book", records)
    approval = floor.order()
    desk.open(card(approval)).live()
    told = bar(desk, "situation").get_by_role("row", name="time").locator("time").first

    expect(told).to_have_text("2026-01-01 01:02:59")
    expect(told).to_have_attribute("title", "2026-01-01T01:02:59.999Z")
    desk.page.get_by_role("button", name="Ago").click()

    expect(told).to_contain_text(" d")


def test_course_of_what_was_measured_is_a_chart_with_a_sentence_and_a_table(desk, floor):
    book = f"sessions/{floor.session['id']}/topics/book"
    floor.api.post(book, {"records": [{"data": {"bid": bid}} for bid in (62298.4, 62290, 62295)]})
    approval = floor.order()
    desk.open(card(approval)).live()
    course = desk.page.locator(".ae-course")

    expect(course.locator("figcaption")).to_have_text(
        "book bid 62\u2009295 when asked, 62\u2009295 at last, "
        "between 62\u2009290 and 62\u2009298.4."
    )
    expect(course.locator("canvas")).to_be_visible()
    course.get_by_text("Its values as a table").click()
    expect(course.get_by_role("row")).to_have_count(4)
    floor.api.post(book, {"records": [{"data": {"bid": 62011.4}}]})

    expect(course.locator("figcaption")).to_contain_text("62\u2009011.4 at last")
    expect(course.get_by_role("row")).to_have_count(5)
    expect(course.get_by_role("row").nth(1)).to_contain_text("62011.4")


def test_number_beside_it_is_drawn_told_and_stands_in_the_table(desk, floor):
    book = f"sessions/{floor.session['id']}/topics/book"
    prices = ((62298.4, 62300), (62290, 62301), (62295, 62302))
    floor.api.post(book, {"records": [{"data": {"bid": one, "ask": two}} for one, two in prices]})
    approval = floor.order()
    desk.open(card(approval)).live()
    course = desk.page.locator(".ae-course")

    expect(course.locator("figcaption")).to_contain_text("ask 62\u2009302 at last.")
    expect(course.locator("canvas")).to_be_visible()
    course.get_by_text("Its values as a table").click()
    expect(course.get_by_role("columnheader", name="ask")).to_be_visible()
    expect(course.get_by_role("row").nth(1)).to_contain_text("62302")


def test_bar_says_what_will_be_executed_and_in_whose_name(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    told = desk.page.locator(".ae-decide-as")
    expect(told).to_have_text("Executes as asked, recorded as admin")

    desk.page.keyboard.press("e")
    desk.page.get_by_label("quantity", exact=True).fill("3")
    desk.page.get_by_label("side", exact=True).select_option("sell")

    expect(told).to_have_text("Executes with quantity 3, side sell, recorded as admin")
    bar(desk, "undo").click()
    expect(told).to_have_text("Executes as asked, recorded as admin")
