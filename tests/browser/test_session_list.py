"""The session list, by the names of its acceptance list."""

import contextlib
import json
import re
import sqlite3
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.browser import people
from tests.browser.desk import LIST, Desk, Scripted
from tests.browser.test_sweep import faults


@pytest.fixture
def word() -> str:
    """A word that only the sessions of one test have in their names."""
    return f"w{uuid4().hex[:10]}"


def test_sl1_row_follows_a_change_over_the_api(desk, api, word):
    session = api.session(f"{word}-1")
    desk.open(f"{LIST}?q={word}").live()

    api.post(f"sessions/{session['id']}/start")

    chip = desk.row(session).locator(".ae-chip")
    expect(chip).to_have_attribute("data-word", "running")
    expect(desk.row(session).locator(".field-active_cell")).to_have_text(re.compile(r"^\d s$"))


def test_sl1_row_follows_a_change_by_the_words_of_seed_001(desk, api, word):
    session = api.session(f"{word}-1")
    desk.open(f"{LIST}?q={word}").live()

    api.call("PATCH", f"agent-sessions/{session['id']}", {"state": "RUNNING"})

    expect(desk.row(session).locator(".ae-chip")).to_have_attribute("data-word", "running")


def test_sl1_row_follows_a_change_over_a_socket(desk, api, word, served):
    session = api.session(f"{word}-1")
    desk.open(f"{LIST}?q={word}").live()

    headers = {"Authorization": f"Bearer {served.token}"}
    started = {"command": "SESSION_START", "payload": {"session_id": session["id"]}}
    with connect(
        f"{served.ws_url}/aegis/commands", additional_headers=headers, proxy=None
    ) as socket:
        socket.send(json.dumps({"request_id": "r-1", **started}))

        expect(desk.row(session).locator(".ae-chip")).to_have_attribute("data-word", "running")


def test_sl1_row_follows_a_change_from_the_command_line(desk, api, word, served):
    session = api.session(f"{word}-1")
    desk.open(f"{LIST}?q={word}").live()

    served.manage("aegis", "session", "start", session["key"])

    expect(desk.row(session).locator(".ae-chip")).to_have_attribute("data-word", "running")


def test_row_follows_its_components(desk, api, word, served):
    session = api.session(f"{word}-1")
    api.post(f"sessions/{session['id']}/start")
    desk.open(f"{LIST}?q={word}").live()

    component = Scripted(served.ws_url, api.token_of(session), "feed", "book").register()
    component.hello().subscribe().ready()

    expect(desk.row(session).locator(".field-participants_cell")).to_have_text("1/1")
    component.close()
    expect(desk.row(session)).to_contain_text("Degraded")
    expect(desk.row(session)).to_contain_text("feed lost")


def test_row_counts_what_waits_and_what_went_wrong_live(desk, floor):
    desk.open(f"{LIST}?q={floor.session['key']}").live()
    row = desk.row(floor.session)
    expect(row.locator(".field-waiting_cell")).to_have_text("–")

    approval = floor.order()

    expect(row.locator(".field-waiting_cell b")).to_have_text(re.compile("^1 "))
    floor.decide(approval, approved=False, reason="Too much.")
    expect(row.locator(".field-waiting_cell")).to_have_text("–")
    failed = {"error": {"code": "DESK_CLOSED", "message": "The desk is closed."}}
    floor.api.post(f"sessions/{floor.session['id']}/fail", failed)
    expect(row.locator(".field-errors_cell b")).to_have_text(re.compile("^1 "))


def test_tabs_count_live(desk, api, word):
    session = api.session(f"{word}-1", environment="production")
    desk.open(f"{LIST}?q={word}").live()
    place = desk.page.locator("[data-counts=production]")
    before = int(place.inner_text() or 0)

    api.post(f"sessions/{session['id']}/start")

    expect(place).to_have_text(str(before + 1))
    expect(desk.page.locator("#ae-views option[value='?view=production']")).to_have_text(
        f"Production running {before + 1}"
    )
    api.post(f"sessions/{session['id']}/end")
    expect(place).to_have_text(str(before or ""))


def test_empty_list_fills_by_itself(desk, api, word):
    desk.open(f"{LIST}?q={word}").live()
    expect(desk.page.locator("#ae-empty")).to_contain_text("No session matches")

    session = api.session(f"{word}-1")

    expect(desk.row(session)).to_be_visible()
    api.post(f"sessions/{session['id']}/start")
    expect(desk.row(session).locator(".ae-chip")).to_have_attribute("data-word", "running")


def test_new_session_is_announced_and_moves_no_row(desk, api, word):
    first = api.session(f"{word}-1")
    desk.open(f"{LIST}?q={word}").live()

    second = api.session(f"{word}-2")

    expect(desk.page.locator("#ae-changed")).to_have_text("1 new")
    assert desk.page.locator("#result_list [data-row]").count() == 1
    desk.page.locator("#ae-refresh").click()
    expect(desk.row(second)).to_be_visible()
    expect(desk.row(first)).to_be_visible()
    expect(desk.page.locator("#ae-refresh")).to_be_hidden()


def test_sl3_filter_and_sort_survive_reload(desk, api, word, browser, served):
    for number in (1, 2):
        api.post(f"sessions/{api.session(f'{word}-{number}')['id']}/start")
    api.session(f"{word}-3")
    desk.open(f"{LIST}?q={word}&state__exact=running&o=1").live()
    names = desk.page.locator("#result_list .ae-name")
    expect(names).to_have_text([f"{word}-1", f"{word}-2"])

    desk.page.reload()

    expect(names).to_have_text([f"{word}-1", f"{word}-2"])
    other = people.signed_in(browser, served, ["view_session"])
    other.goto(desk.page.url)
    expect(other.locator("#result_list .ae-name")).to_have_text([f"{word}-1", f"{word}-2"])
    other.context.close()


def test_sl6_three_are_paused_by_keyboard_alone(desk, api, word):
    sessions = [api.session(f"{word}-{number}") for number in range(3)]
    for session in sessions[:2]:
        api.post(f"sessions/{session['id']}/start")
    desk.open(LIST).live()
    page = desk.page

    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**?q={word}")
    expect(page.locator("input.action-select")).to_have_count(3)
    for box in page.locator("input.action-select").all():
        box.focus()
        page.keyboard.press("Space")
    pause = page.locator("#changelist-actions button[value=pause]")
    expect(pause).to_be_visible()
    pause.focus()
    page.keyboard.press("Enter")

    expect(page.locator("h2.ae-title")).to_have_text("Pause 2 sessions?")
    go = page.get_by_role("button", name="Pause 2 sessions")
    go.focus()
    page.keyboard.press("Enter")

    expect(page.locator("h2.ae-title")).to_have_text("2 paused, 1 refused")
    expect(page.locator(".ae-table")).to_contain_text("Cannot pause while created.")
    assert [api.get(f"sessions/{one['id']}")["state"] for one in sessions] == [
        "paused",
        "paused",
        "created",
    ]


def test_two_are_compared_by_keyboard_alone(desk, api, word):
    for number in range(3):
        api.session(f"{word}-{number}")
    desk.open(f"{LIST}?q={word}").live()
    page = desk.page
    boxes = page.locator("input.action-select")
    compare = page.locator("#changelist-actions button[value=compare]")

    for number, is_offered in enumerate([False, True, False]):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
        expect(compare).to_be_visible(visible=is_offered)
    page.keyboard.press("Space")
    expect(compare).to_be_visible()
    compare.focus()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"/compare/\?with="))
    expect(page.locator("main")).to_contain_text(f"{word}-2")
    expect(page.locator("main")).to_contain_text(f"{word}-1")
    expect(page.locator(".ae-ribbon")).to_contain_text("No difference.")


def test_columns_are_chosen_by_keyboard_and_stay_so(desk, api, word):
    made = api.session(name=f"{word} one")
    desk.open(f"{LIST}?q={word}").live()
    kind = desk.row(made).locator(".field-kind_cell")
    expect(kind).to_be_visible()

    desk.page.locator("#ae-columns summary").press("Enter")
    desk.page.get_by_role("checkbox", name="Kind").press("Space")

    expect(kind).to_be_hidden()
    expect(desk.page.get_by_role("columnheader", name="Kind")).to_have_count(0)
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator("#ae-columns summary")).to_be_focused()
    desk.page.reload()
    desk.live()
    expect(kind).to_be_hidden()
    desk.page.locator("#ae-columns summary").press("Enter")
    assert faults(desk) == []
    desk.page.set_viewport_size({"width": 1280, "height": 800})
    desk.page.get_by_role("checkbox", name="Kind").press("Space")
    expect(kind).to_be_visible()
    desk.page.set_viewport_size({"width": 320, "height": 800})
    expect(desk.page.locator("#ae-columns")).to_be_hidden()


def test_sl7_rows_are_cards_at_320(new_context, served, api, word):
    session = api.session(f"{word}-1", environment="production")
    context = new_context(viewport={"width": 320, "height": 800})
    desk = Desk(context.new_page(), served.url).open(f"{LIST}?q={word}").live()

    row = desk.row(session)
    expect(row).to_be_visible()
    expect(row.locator(".ae-chip")).to_have_text(re.compile("Created"))
    expect(row).to_contain_text("production")
    row.locator("input.action-select").check()
    verbs = desk.page.locator("#changelist-actions button[value=end]")
    expect(verbs).to_be_in_viewport()
    assert desk.page.evaluate("document.documentElement.scrollWidth") == 320


def test_row_under_the_focus_keeps_it(desk, api, word):
    session = api.session(f"{word}-1")
    desk.open(f"{LIST}?q={word}").live()
    link = desk.row(session).locator("a").first
    link.focus()

    api.post(f"sessions/{session['id']}/start")

    expect(desk.row(session).locator(".ae-chip")).to_have_attribute("data-word", "running")
    expect(link).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sl2_a_state_of_the_future_has_a_badge_on_the_list_and_on_its_page(
    new_context, served, api, word, scheme
):
    session = api.session(f"{word}-1")
    as_a_later_aegis_has_it(served, session)
    desk = Desk(new_context(color_scheme=scheme).new_page(), served.url)

    desk.open(f"{LIST}?q={word}").live()
    listed = desk.row(session).locator('.ae-chip[data-word="hibernating"]')
    expect(listed).to_have_attribute("data-tone", "unknown")
    expect(listed).to_have_text(re.compile("hibernating", re.IGNORECASE))
    desk.row(session).get_by_role("link").first.click()

    shown = desk.page.locator('main .ae-chip[data-word="hibernating"]').first
    expect(shown).to_be_visible()
    expect(shown).to_have_attribute("data-tone", "unknown")
    assert faults(desk) == []
    assert desk.faults == []


def as_a_later_aegis_has_it(served, session):
    """A row that another version has written, which no command of this one could."""
    with contextlib.closing(sqlite3.connect(served.home / "aegis.sqlite3", timeout=10)) as file:
        file.execute("PRAGMA ignore_check_constraints = ON")
        told = file.execute(
            "UPDATE aegis_sessions_session SET state = 'hibernating' WHERE key = ?",
            [session["key"]],
        )
        file.commit()
    assert told.rowcount == 1
