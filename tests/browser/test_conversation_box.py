"""What is said in a conversation and to whom, and where what was said leads."""

from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.desk import Scripted, until
from tests.browser.test_conversation import QUIET, stored


def test_what_a_text_tells_of_a_topic_leads_to_that_instant(desk, api, served):
    slug = f"reader-{uuid4().hex[:8]}"
    api.post("agents", {"slug": slug, "name": "Reader", "model": "default", "tools": ["*"]})
    session = api.session(kind="chat", agent=slug, config={"approval_mode": "auto"})
    api.post(f"sessions/{session['id']}/start")
    feed = Scripted(served.ws_url, api.token_of(session), "feed").register().hello().ready()
    feed.publish("prices", {"close": "89303.23"}, {"close": "86638.18"})
    until(lambda: [one["head"] for one in api.get(f"sessions/{session['id']}/topics")["data"]])
    script = [
        {"text": "I look.", "tools": [{"tool": "read_topic", "arguments": {"topic": "prices"}}]},
        {"text": "Record 2 of prices closed at 86638.18, as prices tells."},
    ]
    desk.session(session, "?tab=conversation")

    api.post(
        f"sessions/{session['id']}/messages",
        {"content": "How is it?", "parameters": {"script": script}},
    )

    said = desk.page.locator(".ae-message-text", has_text="closed at")
    links = said.get_by_role("link")
    expect(links).to_have_text(["2 of prices", "86638.18", "prices"])
    (read,) = api.get(f"sessions/{session['id']}/tool-calls")["data"]
    instant = read["result"]["records"][1]["ts"]
    links.nth(1).click()
    desk.page.wait_for_url(f"**/review/?t={instant}")
    desk.session(session, "?tab=conversation")
    links.nth(2).click()
    desk.page.wait_for_url("**tab=topics&topic=prices")
    feed.close()


def test_somebody_else_is_asked_and_given_a_file(desk, api):
    slug = f"other-{uuid4().hex[:8]}"
    api.post("agents", {"slug": slug, "name": "Other", "model": "default"})
    session = api.session(**QUIET)
    desk.session(session, "?tab=conversation")
    prices = {"name": "prices.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}

    desk.page.get_by_label("Attach files").set_input_files([prices])
    desk.page.get_by_label("Who answers").select_option(slug)

    expect(desk.page.locator("#ae-files-named")).to_have_text("prices.csv")
    expect(desk.page.locator("#ae-content")).to_have_attribute("placeholder", "Message Other")
    desk.page.locator("#ae-content").fill("What is in it?")
    desk.page.keyboard.press("Enter")
    until(lambda: len(stored(api, session)) == 2)
    asked, answered = stored(api, session)
    assert [one["filename"] for one in asked["attachments"]] == ["prices.csv"]
    assert answered["author"] == f"agent:{slug}"
    expect(desk.page.locator("#ae-files-named")).to_have_text("")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="prices.csv").click()
    assert download.value.path().read_bytes() == prices["buffer"]
    first = desk.page.locator(".ae-message").first
    first.get_by_role("link", name="Raw").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("body")).to_contain_text(asked["id"])
