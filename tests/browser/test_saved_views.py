"""Views of lists that a person keeps."""

import re
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.desk import LIST, Desk
from tests.browser.test_sweep import faults

AUDIT = "/admin/aegis_streaming/auditentry/"


def test_a_view_is_kept_renamed_and_removed_by_keyboard_alone(desk, new_context, served, api):
    word = f"w{uuid4().hex[:10]}"
    api.session(f"{word}-1")
    page = desk.open(f"{LIST}?q={word}").live().page
    summary = page.locator(".ae-save > summary")

    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ae-save-name")).to_be_focused()
    page.keyboard.type(word)
    page.keyboard.press("Enter")

    tabs = page.get_by_role("navigation", name="Views")
    expect(tabs.get_by_role("link", name=word)).to_have_attribute("aria-current", "page")
    expect(page.locator("#result_list .ae-name")).to_have_text([f"{word}-1"])
    elsewhere = Desk(new_context().new_page(), served.url).open(LIST).page
    expect(elsewhere.locator(".ae-tabs").get_by_role("link", name=word)).to_be_visible()

    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ae-save-name")).to_be_focused()
    page.keyboard.type(f"{word}-2")
    page.keyboard.press("Enter")
    expect(tabs.get_by_role("link", name=f"{word}-2")).to_be_visible()
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(tabs.get_by_role("link", name=f"{word}-2")).to_have_count(0)
    assert desk.faults == []


def test_form_of_a_view_closes_and_gives_the_focus_back(desk):
    page = desk.open(LIST).live().page
    summary = page.locator(".ae-save > summary")
    summary.click()
    expect(page.locator("#ae-save-name")).to_be_focused()
    assert faults(desk) == []

    page.keyboard.press("Escape")

    expect(page.locator("#ae-save-name")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_audit_keeps_views_too(desk):
    word = f"w{uuid4().hex[:10]}"
    page = desk.open(f"{AUDIT}?q=session").page

    page.locator(".ae-save > summary").click()
    page.locator("#ae-save-name").fill(word)
    page.keyboard.press("Enter")

    expect(page.get_by_role("link", name=word)).to_have_attribute("aria-current", "page")
    assert re.search(r"\?q=session$", page.url)
    assert faults(desk) == []
