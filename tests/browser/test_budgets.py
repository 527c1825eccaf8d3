"""Budgets in a browser: set by keyboard, shown with what is used, cleared."""

from playwright.sync_api import expect

from tests.browser.test_sweep import AT_ONCE, AXE, serious, sideways

PAGE = "/admin/budgets/"


def test_budgets_of_a_team_and_a_session_are_set_by_keyboard_and_cleared(desk, api):
    session = api.session()
    desk.open(PAGE)
    form = desk.page.get_by_role("form", name="Set a budget of a team or a person")
    form.get_by_label("Of").select_option(label="default")
    form.get_by_label("Period").select_option(index=0)
    form.get_by_label("Tokens at most").focus()
    desk.page.keyboard.type("123456")
    desk.page.keyboard.press("Enter")
    row = desk.page.get_by_role("row", name="team:default")
    expect(row).to_contain_text("of 123456")

    form = desk.page.get_by_role("form", name="Set a budget of a session")
    form.get_by_label("Session").focus()
    desk.page.keyboard.type(session["key"])
    form.get_by_label("US dollars at most").focus()
    desk.page.keyboard.type("2.5")
    desk.page.keyboard.press("Enter")
    own = desk.page.get_by_role("row", name=session["key"])
    expect(own).to_contain_text("0.00 $ of 2.50 $")
    desk.page.evaluate(AXE.read_text())
    desk.page.evaluate(AT_ONCE)
    for width in (1280, 320):
        desk.page.set_viewport_size({"width": width, "height": 800})
        assert sideways(desk) + serious(desk) == []

    row.get_by_role("button", name="Clear the budget of team:default").click()
    expect(row).to_have_count(0)
    own.get_by_role("button", name="Clear").click()
    expect(own).to_have_count(0)
