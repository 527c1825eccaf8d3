"""Tags, owners and capsules of several sessions at once, from the list."""

import io
import re
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import LIST, Desk
from tests.browser.test_sweep import faults


@pytest.fixture
def word() -> str:
    """A word that only the sessions of one test have in their names."""
    return f"w{uuid4().hex[:10]}"


def select(page: Page, count: int) -> None:
    """Select the first rows by keyboard."""
    boxes = page.locator("input.action-select")
    for number in range(count):
        boxes.nth(number).focus()
        page.keyboard.press("Space")


def more(page: Page, verb: str) -> None:
    """Pull a verb of the menu by keyboard."""
    page.get_by_role("button", name="More verbs").focus()
    page.keyboard.press("Enter")
    button = page.locator(f"#changelist-actions button[value={verb}]")
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")


def test_tags_are_put_on_two_by_keyboard_alone(desk, api, word):
    sessions = [api.session(f"{word}-{number}") for number in range(3)]
    page = desk.open(f"{LIST}?q={word}").live().page

    select(page, 2)
    more(page, "tag")
    page.locator("#add").focus()
    page.keyboard.type("demo, Night shift")
    page.keyboard.press("Enter")
    expect(page.locator("h2.ae-title")).to_have_text("Tag 2 sessions?")
    expect(page.locator(".ae-table")).to_contain_text("Gets demo, night-shift")
    assert faults(desk) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    go = page.get_by_role("button", name="Tag 2 sessions")
    go.focus()
    page.keyboard.press("Enter")

    expect(page.locator("h2.ae-title")).to_have_text("2 tagged, 0 refused")
    assert [api.get(f"sessions/{one['id']}")["tags"] for one in sessions] == [
        [],
        ["demo", "night-shift"],
        ["demo", "night-shift"],
    ]
    assert desk.faults == []


def test_menu_of_the_bar_closes_and_gives_the_focus_back(desk, api, word):
    api.session(f"{word}-1")
    page = desk.open(f"{LIST}?q={word}").live().page
    select(page, 1)
    opener = page.get_by_role("button", name="More verbs")

    opener.focus()
    page.keyboard.press("Enter")
    first = page.locator("#changelist-actions button[value=tag]")
    expect(first).to_be_focused()
    assert faults(desk) == []
    page.keyboard.press("Escape")

    expect(first).to_be_hidden()
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")


def test_sessions_are_given_to_the_team(desk, api, word):
    session = api.session(f"{word}-1", environment="production")
    page = desk.open(f"{LIST}?q={word}").live().page

    select(page, 1)
    more(page, "assign")
    page.locator("#owner").focus()
    page.keyboard.type("shared")
    page.keyboard.press("Enter")
    expect(page.locator("h2.ae-title")).to_have_text("Assign 1 session?")
    page.locator("#reason").fill("night shift")
    page.get_by_role("button", name="Assign 1 session").click()

    expect(page.locator("h2.ae-title")).to_have_text("1 assigned, 0 refused")
    assert api.get(f"sessions/{session['id']}")["owner_label"] == "shared"


def test_capsules_of_several_are_saved_and_the_refused_are_tried_again(desk, api, word):
    sessions = [api.session(f"{word}-{number}") for number in range(3)]
    page = desk.open(f"{LIST}?q={word}").live().page
    refused = re.compile(rf".*/sessions/{sessions[1]['id']}/capsule")
    body = '{"error": {"code": "SERVICE_UNAVAILABLE", "message": "Not now."}}'
    page.route(refused, lambda route: route.fulfill(status=503, body=body))
    got: list[bytes] = []
    page.on("download", lambda download: got.append(Path(download.path()).read_bytes()))

    select(page, 3)
    more(page, "export")
    expect(page.locator("h2.ae-title")).to_have_text("Export 3 sessions?")
    page.get_by_role("button", name="Export 3 sessions").click()

    said = page.locator("#ae-export-said")
    expect(said).to_have_text("2 exported, 1 refused")
    expect(page.locator(".ae-table")).to_contain_text("Not now. SERVICE_UNAVAILABLE")
    page.unroute(refused)
    page.get_by_role("button", name="Retry the 1 refused").click()
    expect(said).to_have_text("3 exported, 0 refused")
    expect(page.locator("a[href^='blob:']")).to_have_count(3)
    expect(page.locator("#ae-export-go")).to_be_hidden()
    assert faults(desk) == []
    assert all(zipfile.is_zipfile(io.BytesIO(one)) for one in got)
    assert desk.faults == []


def test_one_is_exported_at_once(desk, api, word):
    api.session(f"{word}-1")
    page = desk.open(f"{LIST}?q={word}").live().page

    select(page, 1)
    with page.expect_download() as got:
        more(page, "export")

    assert got.value.suggested_filename == f"{word}-1.capsule"


def test_menu_can_be_reached_at_320(new_context, served, api, word):
    api.session(f"{word}-1")
    context = new_context(viewport={"width": 320, "height": 800})
    page = Desk(context.new_page(), served.url).open(f"{LIST}?q={word}").live().page

    page.locator("input.action-select").check()
    page.get_by_role("button", name="More verbs").click()

    for verb in ("tag", "assign", "export"):
        expect(page.locator(f"#changelist-actions button[value={verb}]")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
