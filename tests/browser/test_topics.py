"""The Topics tab: rates and a sampled tail."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Scripted, until


@pytest.fixture
def feed(api, served):
    """A running session and a component that publishes into it."""
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    component = Scripted(served.ws_url, api.token_of(session), "feed", "book").register()
    component.hello().ready()
    component.session = session
    yield component
    component.close()


def test_topic_appears_when_it_is_first_published(desk, feed):
    desk.session(feed.session, "?tab=topics")
    expect(desk.page.locator("#ae-topics-none")).to_contain_text("No topic yet")

    feed.publish("book", {"bid": 1})

    row = desk.page.locator("#ae-topic-rows tr")
    expect(row.locator("[data-label=Topic]")).to_have_text("book")
    expect(row.locator("[data-label=Head]")).to_have_text("1")
    expect(row.locator("[data-label='Last record']")).to_have_text(re.compile(r"^\d s$"))


def test_tail_shows_records_as_they_come(desk, feed):
    feed.publish("book", {"bid": 1})
    desk.session(feed.session, "?tab=topics&topic=book")
    log = desk.page.locator("#ae-tail")
    expect(log.locator(".ae-record")).to_have_count(1)
    assert (log.get_attribute("role"), log.get_attribute("aria-live")) == ("log", "off")

    feed.publish("book", {"bid": 2, "ask": "<b>3</b>"})

    expect(log.locator(".ae-record")).to_have_count(2)
    expect(log.locator(".ae-record-data").first).to_have_text(re.compile(r"bid 2\s+ask <b>3</b>"))


def test_what_the_sampling_leaves_out_is_counted(desk, feed):
    feed.publish("book", {"n": 0})
    desk.session(feed.session, "?tab=topics&topic=book")
    expect(desk.page.locator(".ae-record")).to_have_count(1)

    for begin in range(0, 1000, 100):
        feed.publish("book", *({"n": begin + i} for i in range(100)))

    def counted() -> bool:
        text = desk.page.locator("#ae-tail-counts").inner_text().replace("\u2009", "")
        found = re.fullmatch(r"(\d+) shown, (\d+) skipped", text)
        return found is not None and int(found[1]) + int(found[2]) == 1001

    until(counted)
    assert desk.page.locator(".ae-record").count() <= 500
    expect(desk.page.locator(".ae-record-data").first).to_have_text("n 999")


def test_held_tail_stands_still_and_counts(desk, feed):
    feed.publish("book", {"n": 1})
    desk.session(feed.session, "?tab=topics&topic=book")
    expect(desk.page.locator(".ae-record")).to_have_count(1)

    desk.page.keyboard.press("Space")
    feed.publish("book", {"n": 2}, {"n": 3})
    expect(desk.page.locator("#ae-live-detail")).to_have_text("2 new")
    expect(desk.page.locator(".ae-record")).to_have_count(1)
    desk.page.keyboard.press("Space")

    expect(desk.page.locator(".ae-record-data")).to_have_text(["n 3", "n 2", "n 1"])


def test_filter_applies_to_rows_to_come_and_is_remembered(desk, feed):
    feed.publish("book", {"side": "buy"}, {"side": "sell"})
    desk.session(feed.session, "?tab=topics&topic=book")
    desk.page.locator("#ae-tail-filter").fill("buy")
    rows = desk.page.locator(".ae-record:visible")
    expect(rows).to_have_count(1)

    feed.publish("book", {"side": "sell"}, {"side": "buy"})

    expect(rows).to_have_count(2)
    expect(desk.page.locator("#ae-tail-counts")).to_contain_text("2 hidden by the filter")
    desk.page.reload()
    expect(desk.page.locator("#ae-tail-filter")).to_have_value("buy")


def test_tail_is_opened_and_closed_by_keyboard(desk, feed):
    feed.publish("book", {"n": 1})
    desk.session(feed.session, "?tab=topics")
    topic = desk.page.locator("[data-tail=book]")
    topic.focus()

    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#ae-tail-name")).to_have_text("book")
    assert "topic=book" in desk.page.url
    desk.page.locator("#ae-tail-close").focus()
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#ae-tail-box")).to_be_hidden()
    expect(topic).to_be_focused()
