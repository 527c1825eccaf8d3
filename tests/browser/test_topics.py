"""The Topics tab of a session: its table, and tails of its topics."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Scripted


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
    expect(row.locator("[data-label=Topic] a")).to_have_text("book")
    expect(row.locator("[data-label=Publisher]")).to_have_text("feed")
    expect(row.locator("[data-label=Head]")).to_have_text("1")
    expect(row.locator("[data-label='Last record']")).to_have_text(re.compile(r"^\d s$"))


def test_tail_shows_records_as_they_come(desk, feed):
    feed.publish("book", {"bid": 1})
    desk.session(feed.session, "?tab=topics&topic=book")
    log = desk.page.locator(".ae-tail")
    expect(log.locator(".ae-record")).to_have_count(1)
    assert (log.get_attribute("role"), log.get_attribute("aria-live")) == ("log", "off")

    feed.publish("book", {"bid": 2, "ask": "<b>3</b>"})

    expect(log.locator(".ae-record")).to_have_count(2)
    expect(log.locator(".ae-record-data").first).to_have_text(re.compile(r"bid 2\s+ask <b>3</b>"))


def test_tail_is_opened_and_closed_by_keyboard(desk, feed):
    feed.publish("book", {"n": 1})
    desk.session(feed.session, "?tab=topics")
    box = desk.page.locator("[data-tail=book]")
    box.focus()

    desk.page.keyboard.press("Space")
    expect(desk.page.locator(".ae-tail-name")).to_have_text("book")
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    assert "topic=book" in desk.page.url
    desk.page.keyboard.press("Space")

    expect(desk.page.locator("#ae-tails")).to_be_hidden()
    assert "topic=book" not in desk.page.url
