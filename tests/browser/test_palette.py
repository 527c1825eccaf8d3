"""The palette and the keys of every page, by keyboard alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import LIST, Desk
from tests.browser.test_sweep import faults


def typed(desk: Desk, text: str) -> None:
    desk.page.keyboard.press("Control+k")
    expect(desk.page.locator("#ae-palette-input")).to_be_focused()
    desk.page.keyboard.type(text)


@pytest.mark.parametrize("path", ["/admin/", "/admin/aegis_sessions/preset/add/"])
def test_sh1_palette_pauses_a_session_in_the_words_of_the_command_line(desk, api, path):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    desk.open(path)

    typed(desk, f"session pause {session['key']}")
    desk.page.keyboard.press("Enter")

    said = desk.page.locator("#ae-palette-said")
    expect(said).to_have_text(f"{session['key']} is paused.")
    assert api.get(f"sessions/{session['id']}")["state"] == "paused"


def test_palette_finds_a_session_by_four_characters_of_its_id(desk, api):
    session = api.session()
    desk.open(LIST)

    typed(desk, session["id"][:4])
    option = desk.page.locator("[role=option]", has_text=session["key"])
    expect(option).to_be_visible()
    assert faults(desk) == []
    desk.page.keyboard.press("Enter")

    desk.page.wait_for_url(f"**{LIST}{session['id']}/change/")


def test_palette_says_why_a_verb_is_refused_and_asks_before_the_end(desk, api):
    session = api.session(environment="production")
    desk.open("/admin/")

    typed(desk, f"pause {session['key']}")
    expect(desk.page.locator("[role=option][aria-disabled]")).to_be_visible()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#ae-palette-said")).to_have_text("Cannot pause while created.")

    desk.page.locator("#ae-palette-input").fill(f"end {session['key']}")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#ae-palette-cancel")).to_be_focused()
    assert api.get(f"sessions/{session['id']}")["state"] == "created"
    desk.page.locator("#ae-palette-reason").fill("It is over.")
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#ae-palette-said")).to_have_text(f"{session['key']} is ended.")


def test_sh2_single_keys_are_turned_off_and_the_palette_is_not(desk):
    desk.open(LIST).live()
    desk.goes("gc", "/aegis_components/component/")
    desk.live()

    desk.page.keyboard.press("?")
    expect(desk.page.locator("#ae-shell-keys")).to_be_visible()
    desk.page.get_by_label("Single keys act").uncheck()
    desk.page.get_by_role("button", name="Close").click()
    desk.page.keyboard.type("gd")
    desk.page.keyboard.press("Control+k")

    expect(desk.page.locator("#ae-palette-input")).to_be_focused()
    assert desk.page.url.endswith("/aegis_components/component/")
