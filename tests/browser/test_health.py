"""Findings in a browser: left alone with a reason, told again, read by everybody."""

from playwright.sync_api import expect

from tests.browser.test_sweep import AT_ONCE, AXE, serious, sideways

PAGE = "/admin/health/"


def test_a_finding_is_snoozed_by_keyboard_shown_with_who_and_why_and_told_again(desk):
    desk.open(PAGE)
    row = desk.page.locator("li[data-check='server']")
    row.locator("summary").focus()
    desk.page.keyboard.press("Enter")
    row.get_by_label("Why").focus()
    desk.page.keyboard.type("A proxy does it")
    row.get_by_label("For").select_option(label="a week")
    row.get_by_role("button", name="Snooze").focus()
    desk.page.keyboard.press("Enter")

    apart = desk.page.locator("section", has=desk.page.get_by_role("heading", name="Snoozed"))
    expect(apart.locator("[data-check='server']")).to_contain_text("A proxy does it")
    expect(apart.locator("[data-check='server']")).to_contain_text("Snoozed by user:")
    expect(desk.page.locator("#ae-health-says")).to_contain_text("1 snoozed")
    desk.page.evaluate(AXE.read_text())
    desk.page.evaluate(AT_ONCE)
    for width in (1280, 320):
        desk.page.set_viewport_size({"width": width, "height": 800})
        assert sideways(desk) + serious(desk) == []

    row.get_by_role("button", name="Tell again: Server").click()
    expect(apart).to_have_count(0)
    expect(row).to_be_visible()
