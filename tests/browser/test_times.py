"""One switch for the times of a page: list, axis and tooltip change together."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, Scripted

CLOCK = r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d"
AGO = r"\d+ s|\d+:\d\d|\d+ h \d\d"
# Minutes ahead of UTC that are no whole hours, so that no minute is the same in both.
ZONE, AHEAD = "Asia/Kolkata", 330


@pytest.fixture
def far(new_context, served):
    """A page in another zone than UTC."""
    desk = Desk(new_context(timezone_id=ZONE).new_page(), served.url)
    yield desk
    assert desk.faults == []


def seen(page):
    """What list, tooltip and axis of the lanes say: a time each."""
    tip = page.locator(".ae-item[data-word=running] title").first.text_content()
    when = re.search(rf"({CLOCK}|{AGO})$", tip or "")
    assert when is not None
    return {
        "list": page.locator(".ae-event time").first.text_content(),
        "tip": when.group(),
        "axis": page.locator(".ae-lane-clock-text").text_content(),
    }


def choose(page, name):
    button = page.get_by_role("button", name=name, exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    return seen(page)


def minutes(text):
    hour, minute = text.split(" ")[-1].split(":")[:2]
    return int(hour) * 60 + int(minute)


def test_sh4_switch_changes_list_axis_and_tooltip_together(far, api):
    session = api.session()
    for verb in ("start", "complete"):
        api.post(f"sessions/{session['id']}/{verb}")
    far.session(session)
    expect(far.page.locator(".ae-item[data-word=running]")).to_have_count(1)

    utc, local, ago = (choose(far.page, name) for name in ("UTC", "Local", "Ago"))

    for name in ("list", "tip", "axis"):
        assert re.fullmatch(CLOCK, utc[name])
        assert (minutes(local[name]) - minutes(utc[name])) % 1440 == AHEAD
        assert re.fullmatch(AGO, ago[name])
    far.page.reload()
    expect(far.page.get_by_role("button", name="Ago", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert re.fullmatch(AGO, seen(far.page)["axis"])


def test_sh4_switch_changes_the_records_of_a_tail_that_stand_there(far, api, served):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    feed = Scripted(served.ws_url, api.token_of(session), "feed").register().hello().ready()
    feed.publish("book", {"bid": 1})
    far.open(f"/admin/aegis_streaming/log/?tail={session['id']}:book").live()
    time = far.page.locator(".ae-record time").first
    expect(time).to_have_text(re.compile(rf"^{CLOCK}\.\d{{3}}$"))
    utc = time.text_content() or ""

    far.page.get_by_role("button", name="Local", exact=True).click()
    local = time.text_content() or ""

    assert (minutes(local) - minutes(utc)) % 1440 == AHEAD
    feed.close()
