"""The interface in a browser: in our look, with buttons that work, for everybody."""

import json
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.test_sweep import faults

API = "/api/v1/"
PLACES = (
    "sessions",
    "sessions/{key}",
    "sessions/{key}/events",
    "templates",
    "agent-sessions/{key}",
    "nothing",
)


@pytest.fixture
def session(api):
    return api.session(key=f"s-{uuid4().hex[:8]}")


@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_serious_on_a_page_of_the_interface(desk, session, served, place):
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    address = place.format(key=session["key"])
    if place == "nothing":
        address = "sessions/nothing"

    desk.open(f"{API}{address}")
    desk.page.wait_for_load_state("networkidle")

    assert faults(desk) == []
    assert [url for url in asked if not url.startswith((served.url, "data:"))] == []
    assert desk.page.locator("style, script:not([src]), [style]").count() == 0


def test_br2_actions_work_from_the_page_by_keyboard(desk, api, session):
    desk.open(f"{API}sessions/{session['key']}")

    desk.page.get_by_role("button", name="start", exact=True).press("Enter")

    expect(desk.page.locator("#ae-api-said")).to_have_text("Answered 200")
    expect(desk.page.locator("#ae-api-body")).to_contain_text('"state": "running"')
    expect(desk.page.locator("#ae-api-title")).to_be_focused()
    assert api.get(f"sessions/{session['key']}")["state"] == "running"


def test_example_body_makes_one_and_a_refusal_is_shown_in_place(desk, api):
    key = f"made-{uuid4().hex[:8]}"
    desk.open(f"{API}sessions")
    body = desk.page.get_by_label("Body, with an example to begin with")
    body.fill(json.dumps({"key": key, "kind": "chat"}))
    desk.page.get_by_role("button", name="Send POST").click()
    expect(desk.page.locator("#ae-api-said")).to_have_text("Answered 201")

    desk.page.get_by_label("Body, with an example to begin with").fill('{"kind": "party"}')
    desk.page.get_by_role("button", name="Send POST").click()

    expect(desk.page.locator("#ae-api-said")).to_have_text("Answered 400")
    expect(desk.page.locator("#ae-api-body")).to_contain_text("VALIDATION_ERROR")
    assert api.get(f"sessions/{key}")["kind"] == "chat"


def test_one_page_leads_to_the_others_and_says_the_words_of_the_dialects(desk, session):
    desk.open(f"{API}sessions?search={session['key']}")
    row = desk.page.get_by_label("Rows").get_by_role("link", name=session["id"])
    expect(row).to_have_text(f"{session['key']} · {session['id']}")
    row.click()
    expect(
        desk.page.get_by_role("row", name="paused stopped paused inactive suspended")
    ).to_be_visible()
    expect(desk.page.locator("#way-socket")).to_contain_text(f"/ws/sessions/{session['id']}")

    desk.page.get_by_role("link", name="Events", exact=True).click()
    expect(desk.page.locator("#ae-api-body")).to_contain_text("session.created")
    desk.page.get_by_role("link", name="Playground").click()

    desk.page.wait_for_url(f"**/admin/playground/?session={session['id']}")


@pytest.mark.parametrize(
    ("place", "leads"),
    [
        ("runs", "/api/v1/runs/{run}"),
        ("sessions/{session}/messages", "/api/v1/sessions/{session}/messages/{message}"),
        ("audit?session={session}", "/api/v1/audit/{entry}"),
    ],
)
def test_each_row_of_a_list_leads_to_its_own_page(desk, api, place, leads):
    session = api.session(kind="chat", agent="assistant")["id"]
    api.post(f"sessions/{session}/messages", {"content": "Well?"})
    known = {
        "session": session,
        "run": api.get("runs")["data"][0]["id"],
        "message": api.get(f"sessions/{session}/messages")["data"][0]["id"],
        "entry": api.get(f"audit?session={session}")["data"][0]["id"],
    }
    desk.open(f"{API}{place.format(**known)}")

    desk.page.locator(f".ae-api-rows a[href='{leads.format(**known)}']").click()

    expect(desk.page.locator("h2 .ae-mono").first).to_contain_text(leads.format(**known))
    expect(desk.page.locator(".ae-chip").first).to_have_text("200 OK")


def test_what_is_deleted_is_meant(desk, api, session):
    desk.open(f"{API}sessions/{session['key']}")
    delete = desk.page.get_by_role("button", name="Delete")
    delete.click()
    assert api.get(f"sessions/{session['key']}")["state"] == "created"

    desk.page.get_by_label("I mean to delete this").check()
    delete.click()

    expect(desk.page.locator("#ae-api-said")).to_contain_text("Answered 20")
    desk.page.reload()
    expect(desk.page.locator("#ae-api-body")).to_contain_text("SESSION_NOT_FOUND")
