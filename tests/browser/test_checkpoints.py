"""Checkpoints in the admin: taking one, going back to it, and forks whose tools do no harm."""

from playwright.sync_api import expect

from tests.browser.desk import LIST, until
from tests.browser.floor import ORDER, Broker


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


def _asked(api, session):
    """Let the agent of a session ask for the order; the approval of it."""
    tools = [{"tool": "component.broker.place_order", "arguments": ORDER}]
    script = [{"text": "Again.", "tools": tools}, {"text": "Done."}]
    api.post(
        f"sessions/{session}/messages", {"content": "Do it.", "parameters": {"script": script}}
    )
    return until(lambda: api.get(f"approvals?session={session}")["data"])[0]
