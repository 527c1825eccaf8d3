"""The conversation on the session page, by the names of its acceptance list."""

import json
import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, until
from tests.browser.floor import ORDER
from tests.browser.floor import card as approval_card
from tests.browser.test_sweep import faults

QUIET = {"kind": "chat", "agent": "assistant"}


def slow(desk, session, *, pieces, pause=0.0):
    """Ask the agent for so many pieces, as a program would."""
    script = [{"text": "piece", "chunks": pieces, "pause_seconds": pause}]
    return {"content": "Go on", "parameters": {"script": script}}


def texts(desk):
    return desk.page.locator(".ae-message-text").all_inner_texts()


def stored(api, session):
    return api.get(f"sessions/{session['id']}/messages")["data"]


def test_question_is_asked_and_answered_on_the_page(desk, api):
    session = api.session(**QUIET)
    desk.session(session, "?tab=conversation")
    expect(desk.page.locator("#ae-silent")).to_be_visible()

    desk.page.locator("#ae-content").fill("My name is Alice")
    desk.page.keyboard.press("Enter")

    until(lambda: len(stored(api, session)) == 2)
    expect(desk.page.locator(".ae-message")).to_have_count(2)
    until(lambda: texts(desk) == [one["content"] for one in stored(api, session)])
    assert "Alice" in texts(desk)[1]
    expect(desk.page.locator("#ae-announced")).to_have_text("assistant has answered.")
    expect(desk.page.locator("#ae-messages")).to_have_attribute("aria-busy", "false")
    expect(desk.page.locator("#ae-runs")).to_contain_text("completed")


def test_sp3_400_pieces_give_exactly_the_stored_text(desk, api):
    session = api.session(**QUIET)
    desk.session(session, "?tab=conversation")

    api.post(f"sessions/{session['id']}/messages", slow(desk, session, pieces=400, pause=0.02))
    voice = desk.page.locator(".ae-voice")
    expect(voice).to_contain_text("piece20")
    desk.page.reload()
    expect(voice).to_contain_text("piece60")

    until(lambda: len(stored(api, session)) == 2, seconds=60)
    expect(voice).to_have_count(0)
    assert texts(desk)[-1] == stored(api, session)[-1]["content"]


BUSY = """() => {
  const list = document.getElementById("ae-messages");
  window.busy = [];
  window.announced = [];
  new MutationObserver(() => window.busy.push(list.getAttribute("aria-busy")))
    .observe(list, { attributes: true, attributeFilter: ["aria-busy"] });
  new MutationObserver(() => window.announced.push(document.getElementById("ae-announced").textContent))
    .observe(document.getElementById("ae-announced"), { childList: true });
}"""


def test_sp4_log_is_busy_while_an_answer_comes_and_is_announced_once(desk, api):
    session = api.session(**QUIET)
    desk.session(session, "?tab=conversation")
    desk.page.evaluate(BUSY)
    log = desk.page.get_by_role("log", name="Conversation")

    api.post(f"sessions/{session['id']}/messages", slow(desk, session, pieces=40, pause=0.05))
    expect(desk.page.locator(".ae-voice")).to_contain_text("piece5")
    expect(log).to_have_attribute("aria-busy", "true")

    expect(log).to_have_attribute("aria-busy", "false")
    expect(desk.page.locator("#ae-announced")).to_have_text("assistant has answered.")
    assert desk.page.evaluate("window.announced") == ["assistant has answered."]
    assert desk.page.evaluate("window.busy.at(-1)") == "false"


def test_sp5_who_reads_further_up_stays_there_and_sees_how_much_is_new(desk, api):
    session = api.session(**QUIET)
    path = f"sessions/{session['id']}/messages"
    for number in range(12):
        api.post(path, {"content": f"Line {number}.\n" * 8, "answers": False})
    desk.session(session, "?tab=conversation")
    pill = desk.page.locator("#ae-latest")
    expect(pill).to_be_hidden()
    desk.page.evaluate("window.scrollTo(0, 0)")

    api.post(path, slow(desk, session, pieces=40, pause=0.05))
    expect(pill).to_have_text("1 new")
    expect(pill).to_have_text("2 new")
    assert desk.page.evaluate("window.scrollY") == 0

    pill.press("Enter")
    expect(pill).to_be_hidden()
    api.post(path, slow(desk, session, pieces=20, pause=0.02))
    until(lambda: len(stored(api, session)) == 16)
    expect(desk.page.locator(".ae-message").last).to_be_in_viewport()
    expect(pill).to_be_hidden()


def test_closing_the_tab_does_not_end_the_run_and_a_cut_is_healed(desk, api):
    session = api.session(**QUIET)
    desk.session(session, "?tab=conversation").live()
    api.post(f"sessions/{session['id']}/messages", slow(desk, session, pieces=150, pause=0.01))
    expect(desk.page.locator(".ae-voice")).to_contain_text("piece5")

    desk.page.context.set_offline(True)
    desk.page.evaluate("window.dispatchEvent(new Event('offline'))")
    until(lambda: len(stored(api, session)) == 2)
    desk.page.context.set_offline(False)

    expect(desk.page.locator(".ae-voice")).to_have_count(0)
    assert texts(desk)[-1] == stored(api, session)[-1]["content"]


def test_sp3_a_tab_that_is_closed_ends_no_run(new_context, served, api):
    session = api.session(**QUIET)
    desk = Desk(new_context().new_page(), served.url).session(session, "?tab=conversation")
    api.post(f"sessions/{session['id']}/messages", slow(desk, session, pieces=60, pause=0.02))
    expect(desk.page.locator(".ae-voice")).to_contain_text("piece3")

    desk.page.close()

    until(lambda: len(stored(api, session)) == 2)
    assert stored(api, session)[-1]["content"].count("piece") == 60
    assert [one["state"] for one in api.get(f"sessions/{session['id']}/runs")["data"]] == [
        "completed"
    ]


def test_run_is_stopped_by_hand(desk, api):
    session = api.session(**QUIET)
    desk.session(session, "?tab=conversation")
    api.post(f"sessions/{session['id']}/messages", slow(desk, session, pieces=2000, pause=0.02))
    expect(desk.page.locator(".ae-voice")).to_contain_text("piece3")

    desk.page.locator("#ae-stop-run").click()

    expect(desk.page.locator("#ae-runs")).to_contain_text("cancelled")
    expect(desk.page.locator(".ae-voice")).to_have_count(0)


def test_tool_call_that_waits_stands_in_the_conversation(desk, api):
    slug = f"looker-{uuid4().hex[:8]}"
    api.post("agents", {"slug": slug, "name": "Looker", "model": "default", "tools": ["*"]})
    session = api.session(kind="chat", agent=slug, config={"approval_mode": "manual"})
    desk.session(session, "?tab=conversation")
    script = [{"text": "I look.", "tools": [{"tool": "session_status", "arguments": {}}]}]

    api.post(
        f"sessions/{session['id']}/messages",
        {"content": "How is it?", "parameters": {"script": script}},
    )

    card = desk.page.locator(".ae-call")
    expect(card).to_have_attribute("data-word", "pending")
    expect(card).to_contain_text("session_status")
    expect(desk.page.locator(".ae-messages")).to_contain_text("It waits for a decision.")
    (approval,) = api.get(f"approvals?session={session['id']}")["data"]
    expect(card).to_contain_text(re.compile(r"\d left"))
    card.get_by_role("link", name="Open approval").click()
    desk.page.wait_for_url(f"**{approval_card(approval)}")
    api.post(f"approvals/{approval['id']}/decide", {"approved": True})
    desk.session(session, "?tab=conversation")
    expect(card).to_contain_text(re.compile(r"Approved by .+ after [\d.]+ m?s"))
    card.get_by_title("Where the ledger tells it").click()
    expect(desk.page.locator(".ae-event[aria-current]")).to_contain_text("needs a decision")


def test_sp6_of_three_calls_one_waits_and_its_card_goes_on_to_completed(desk, api, new_floor):
    floor = new_floor(tool="*place_order")
    desk.session(floor.session, "?tab=conversation")
    status = {"tool": "session_status", "arguments": {}}
    tools = [status, {"tool": "component.broker.place_order", "arguments": ORDER}, status]
    script = [{"text": "I look, then I order.", "tools": tools}, {"text": "Done."}]
    said = {"content": "Do it.", "parameters": {"script": script}}

    api.post(f"sessions/{floor.session['id']}/messages", said)

    cards = desk.page.locator(".ae-call")
    expect(cards).to_have_count(3)
    gated = cards.filter(has_text="place_order")
    expect(gated).to_have_attribute("data-word", "pending")
    expect(desk.page.locator(".ae-call-ask")).to_have_count(1)
    name = gated.get_attribute("id")
    floor.decide(until(floor.waiting)[0], approved=True)
    expect(gated).to_have_attribute("data-word", "completed")
    expect(desk.page.locator(".ae-call-ask")).to_have_count(0)
    expect(gated).to_have_attribute("id", str(name))
    expect(cards).to_have_count(3)


def test_earlier_messages_are_a_click_away_and_the_page_stays_where_it_was(desk, api):
    session = api.session(kind="chat")
    for number in range(45):
        api.post(f"sessions/{session['id']}/messages", {"content": f"said {number}"})
    desk.session(session, "?tab=conversation").live()
    assert len(texts(desk)) == 30

    desk.page.locator("#ae-earlier").click()

    expect(desk.page.locator(".ae-message")).to_have_count(45)
    assert texts(desk) == [f"said {number}" for number in range(45)]
    expect(desk.page.locator("#ae-earlier")).to_be_hidden()


def test_what_cannot_be_said_is_refused_in_words(desk, api):
    session = api.session(kind="chat")
    desk.session(session, "?tab=conversation").live()
    api.post(f"sessions/{session['id']}/end")

    desk.page.locator("#ae-content").fill("Too late")
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#ae-problem")).to_contain_text("INVALID_STATE")
    expect(desk.page.locator("#ae-content")).to_have_value("Too late")


def test_text_is_text_and_never_markup(desk, api):
    session = api.session(kind="chat")
    said = "<img src=x onerror=alert(1)> & <b>bold</b>"
    desk.session(session, "?tab=conversation").live()

    api.post(f"sessions/{session['id']}/messages", {"content": said})

    expect(desk.page.locator(".ae-message-text")).to_have_text(said)
    assert json.dumps(texts(desk)) == json.dumps([said])


def test_what_the_agent_saw_opens_from_its_run_by_keyboard_and_goes_back(desk, api):
    slug = f"looker-{uuid4().hex[:8]}"
    api.post("agents", {"slug": slug, "name": "Looker", "model": "default", "tools": ["*"]})
    session = api.session(kind="chat", agent=slug, config={"approval_mode": "auto"})
    desk.session(session, "?tab=conversation")
    script = [
        {"text": "I look.", "tools": [{"tool": "session_status", "arguments": {}}]},
        {"text": "It runs."},
    ]
    api.post(
        f"sessions/{session['id']}/messages",
        {"content": "How is it?", "parameters": {"script": script}},
    )
    runs = desk.page.locator("#ae-runs")
    expect(runs).to_contain_text("completed")

    opener = runs.get_by_role("button", name=f"1 {slug}")
    opener.press("Enter")

    seen = desk.page.get_by_role("region", name="What the agent saw")
    expect(seen.get_by_role("heading")).to_be_focused()
    expect(seen.get_by_role("row", name="session_status")).to_be_visible()
    expect(seen.get_by_role("row", name="Conversation")).to_contain_text("2")
    desk.page.keyboard.press("Escape")
    expect(seen).to_be_hidden()
    expect(opener).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(seen).to_be_visible()
    assert faults(desk) == []


@pytest.mark.parametrize("width", [320, 1100])
def test_runs_and_what_the_agent_saw_are_a_sheet_where_there_is_no_room_beside(
    new_context, served, api, width
):
    slug = f"looker-{uuid4().hex[:8]}"
    api.post("agents", {"slug": slug, "name": "Looker", "model": "default", "tools": []})
    session = api.session(kind="chat", agent=slug)
    page = new_context(viewport={"width": width, "height": 700}).new_page()
    desk = Desk(page, served.url).session(session, "?tab=conversation")
    api.post(f"sessions/{session['id']}/messages", {"content": "How is it?"})
    sheet = page.get_by_role("complementary", name="Runs")
    opener = page.get_by_role("button", name="Runs, and what the agent saw")
    seen = page.get_by_role("region", name="What the agent saw")
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(sheet).to_be_hidden()

    opener.press("Enter")
    expect(sheet).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("button", name="Back to the conversation")).to_be_focused()
    one = sheet.get_by_role("button", name=f"1 {slug}")
    expect(sheet).to_contain_text("completed")
    heights = [found.bounding_box()["height"] for found in sheet.get_by_role("button").all()]
    one.click()
    expect(seen.get_by_role("heading")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert sheet.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    page.keyboard.press("Escape")
    expect(one).to_be_focused()
    page.keyboard.press("Escape")

    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    assert min(heights) >= 44
    opener.click()
    page.get_by_role("button", name="Back to the conversation").click()
    expect(opener).to_be_focused()
    opener.click()
    expect(sheet).to_be_visible()
    page.locator("#ae-content").focus()
    expect(sheet).to_be_hidden()
    assert faults(desk) == []
