"""Checkpoints in the admin: taking one, going back to it, and forks whose tools do no harm."""

import re

from playwright.sync_api import expect

from tests.browser.desk import LIST, until
from tests.browser.floor import ORDER, Broker
from tests.browser.test_sweep import faults


def test_one_is_taken_looked_at_and_gone_back_to(desk, api):
    session = api.session(memory={"n": 1})
    path = f"sessions/{session['id']}"
    desk.session(session, "?tab=checkpoints")
    desk.page.get_by_label("Label of a new checkpoint").fill("before")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#ae-checkpoints tbody tr")).to_have_count(1)
    api.post(f"{path}/start")
    head = api.get(f"{path}/events")["data"][-1]["seq"]

    # RE1: whoever looks moves nothing.
    desk.page.get_by_role("link", name="before").click()
    expect(desk.page.locator("#ae-difference")).to_contain_text("session.activated 1")
    expect(desk.page.locator("#ae-recover-why")).to_contain_text("Cannot recover while running")
    assert api.get(f"{path}/events")["data"][-1]["seq"] == head

    api.post(f"{path}/pause")
    desk.page.reload()
    desk.page.get_by_role("button", name="Recover to here").click()
    expect(desk.page.locator(".ae-event-what").first).to_have_text("Session recovered")
    assert api.get(path)["state"] == "paused"


def test_a_checkpoint_appears_on_the_open_page(desk, api):
    session = api.session()
    desk.session(session, "?tab=checkpoints")

    api.post(f"sessions/{session['id']}/checkpoints", {"label": "elsewhere"})

    expect(desk.page.locator("#ae-checkpoints")).to_contain_text("elsewhere")


def test_sp9_a_fork_and_its_parent_lead_to_each_other(desk, api):
    parent = api.session()
    path = f"sessions/{parent['id']}"
    api.post(f"{path}/start")
    kept = api.post(f"{path}/checkpoints", {"label": "before"})
    before = api.get(path)
    desk.open(f"{LIST}{parent['id']}/checkpoints/{kept['id']}/")
    desk.page.get_by_role("button", name="Fork from here").click()
    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "created")
    made = desk.page.locator("#ae-session").get_attribute("data-session")

    desk.page.locator(".ae-ribbon a").first.click()
    expect(desk.page.locator("#ae-session")).to_have_attribute("data-session", parent["id"])
    desk.session(parent, "?tab=checkpoints")
    desk.page.locator("#ae-made a").click()
    expect(desk.page.locator("#ae-session")).to_have_attribute("data-session", str(made))

    after = api.get(path)
    assert [after[name] for name in ("state", "version", "activation")] == [
        before[name] for name in ("state", "version", "activation")
    ]


def test_re3_a_fork_asks_anew_when_live_and_carries_out_nothing_when_recorded(
    desk, api, served, floor
):
    label = "before the order"
    kept = api.post(f"sessions/{floor.session['id']}/checkpoints", {"label": label})
    floor.decide(floor.order(), approved=True)
    until(lambda: len(floor.broker.calls) == 1)
    page = f"{LIST}{floor.session['id']}/checkpoints/{kept['id']}/"

    made = {}
    for effects in ("recorded", "live"):
        desk.open(page)
        desk.page.locator(f"#ae-fork-effects [value={effects}]").check()
        desk.page.get_by_role("button", name="Fork from here").click()
        expect(desk.page.locator(".ae-event-what").first).to_have_text("Forked")
        expect(desk.page.locator(".ae-ribbon")).to_contain_text(f"Fork, effects {effects}.")
        expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "created")
        made[effects] = desk.page.locator("#ae-session").get_attribute("data-session")

    broker = Broker(served.ws_url, api.token_of({"id": made["live"]})).offer()
    asked = {effects: _asked(api, session) for effects, session in made.items()}
    api.post(f"approvals/{asked['recorded']['id']}/decide", {"approved": True})
    calls = f"sessions/{made['recorded']}/tool-calls"
    until(lambda: api.get(calls)["data"][0]["state"] == "completed")

    assert api.get(calls)["data"][0]["result"] == {"placed": True}
    assert api.get(f"approvals/{asked['live']['id']}")["state"] == "pending"
    assert (len(floor.broker.calls), broker.calls) == (1, [])
    api.post(f"approvals/{asked['live']['id']}/decide", {"approved": False, "reason": "Over."})
    broker.close()


def test_re5_first_difference_of_a_fork_is_marked_and_one_key_away(desk, api, floor):
    kept = api.post(f"sessions/{floor.session['id']}/checkpoints", {"label": "before"})
    wish = {"checkpoint": kept["id"], "effects": "recorded"}
    made = api.post(f"sessions/{floor.session['id']}/fork", wish)
    orders = {floor.session["id"]: 5, made["id"]: 7}
    asked = [_asked(api, one, quantity=quantity) for one, quantity in orders.items()]
    desk.session(made)

    desk.page.get_by_role("link", name="Compare with the original").click()

    first = desk.page.locator("#ae-first")
    expect(first).to_contain_text("FIRST DIFFERENCE")
    expect(first.locator("del")).to_have_text(["5"])
    expect(first.locator("ins")).to_have_text(["7"])
    before = desk.page.locator(".ae-compared tbody tr").first
    expect(before).not_to_have_attribute("data-differs", re.compile(""))
    expect(before.locator("b")).to_have_text(["user said", "user said"])
    desk.page.keyboard.press("n")
    expect(first).to_be_focused()
    expect(desk.page).to_have_url(re.compile("#ae-first$"))
    assert faults(desk) == []
    first.get_by_role("link").first.click()
    expect(desk.page).to_have_url(re.compile(rf"{floor.session['id']}/change/\?tab=timeline&at="))
    for approval in asked:
        floor.decide(approval, approved=False, reason="The test is over.")


def test_any_two_sessions_are_compared_by_key(desk, api):
    one, other = api.session(), api.session()
    desk.open(f"{LIST}{one['id']}/compare/")
    expect(desk.page.locator("main")).to_contain_text("Compare with which session?")

    desk.page.get_by_label("with").fill(other["key"])
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".ae-ribbon")).to_contain_text("No difference.")
    desk.page.get_by_label("with").fill("nobody")
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator(".ae-problem")).to_contain_text("SESSION_NOT_FOUND")


def _asked(api, session, **arguments):
    """Let the agent of a session ask for the order; the approval of it."""
    order = {**ORDER, **arguments}
    tools = [{"tool": "component.broker.place_order", "arguments": order}]
    script = [{"text": "Again.", "tools": tools}, {"text": "Done."}]
    api.post(
        f"sessions/{session}/messages", {"content": "Do it.", "parameters": {"script": script}}
    )
    return until(lambda: api.get(f"approvals?session={session}")["data"])[0]
