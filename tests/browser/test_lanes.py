"""The lanes of a session's timeline."""

from playwright.sync_api import expect

from tests.browser.desk import Scripted
from tests.browser.test_sweep import AXE, serious


def test_lanes_draw_what_happens_while_it_happens(desk, api, served):
    session = api.session()
    desk.session(session)
    expect(desk.page.locator("#ae-lane-names .ae-lane-name")).to_have_text(["Lifecycle"])

    api.post(f"sessions/{session['id']}/start")
    component = Scripted(served.ws_url, api.token_of(session), "risk-meter", "risk").register()
    component.hello().ready()

    expect(desk.page.locator("#ae-lane-names .ae-lane-name").nth(1)).to_contain_text("risk-meter")
    expect(desk.page.locator(".ae-item[data-word=running]")).to_have_count(2)
    desk.page.get_by_role("button", name="Participants").click()
    expect(desk.page.locator(".ae-item[data-word=running]")).to_have_count(1)
    component.close()


def test_what_is_pressed_in_the_lanes_is_the_event_of_the_list_and_of_the_link(desk, api):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    desk.session(session)

    desk.page.locator(".ae-item[data-word=running]").click()

    expect(desk.page.locator("#ae-drawer")).to_contain_text("session.activated")
    expect(desk.page.locator(".ae-lane-name[data-selected]")).to_have_text("Lifecycle")
    assert desk.page.url.endswith("?at=2")
    desk.page.get_by_role("link", name="List").click()
    expect(desk.page.locator(".ae-lanes")).to_be_hidden()
    expect(desk.page.locator(".ae-event").first).to_be_visible()


def test_wait_for_people_is_hatched_until_somebody_decides(desk, floor):
    desk.session(floor.session)
    approval = floor.order()
    wait = desk.page.locator(".ae-wait-on")
    expect(wait).to_be_visible()
    desk.page.evaluate(AXE.read_text())

    floor.decide(approval, approved=True)

    expect(wait).to_have_count(0)
    expect(desk.page.locator(".ae-item[data-word=waiting] title").last).to_contain_text("approved")
    assert serious(desk) == []


def test_window_of_time_is_set_by_buttons_and_held_with_the_view(desk, api):
    session = api.session()
    desk.session(session)
    zoom = desk.page.locator("#ae-lane-zoom")
    expect(zoom).to_have_text("2 min")

    desk.page.get_by_role("button", name="Show more time").click()
    expect(zoom).to_have_text("5 min")
    desk.page.keyboard.press("Escape")
    desk.page.locator("#ae-hold").click()
    api.post(f"sessions/{session['id']}/start")
    expect(desk.page.locator("#ae-live-detail")).not_to_have_text("0 new")
    expect(desk.page.locator(".ae-item[data-word=running]")).to_have_count(0)
    desk.page.locator("#ae-hold").click()

    expect(desk.page.locator(".ae-item[data-word=running]")).to_have_count(1)


def test_a_bookmark_is_a_flag_that_opens_its_event(desk, api):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    mark = {"seq": 2, "name": "there", "is_shared": True}
    api.post(f"sessions/{session['id']}/bookmarks", mark)
    desk.session(session)
    flag = desk.page.locator(".ae-lane-flag[data-kind=bookmark]")
    expect(flag.locator("title")).to_contain_text("there, ")

    flag.dispatch_event("click")

    expect(desk.page.locator("#ae-drawer")).to_contain_text("session.activated")
