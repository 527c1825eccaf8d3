"""The shell: connection states, rights, and what pages load."""

import socket
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PERIODS
from tests.browser.desk import LIST, Api, Desk, Scripted
from tests.browser.floor import card, note
from tests.serving import start_server


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_sh3_ap12_page_and_what_waits_come_through_a_restart_of_the_server(browser, tmp_path: Path):
    port, home = free_port(), tmp_path / "home"
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    with start_server("--port", port, home=home, **PERIODS) as server:
        api = Api(server.url, server.token)
        session = api.session()
        desk = Desk(context.new_page(), server.url)
        desk.open(f"/admin/login/?next={LIST}")
        desk.page.fill("#id_username", server.user)
        desk.page.fill("#id_password", server.password)
        desk.page.click("button[type=submit]")
        desk.page.wait_for_url(f"**{LIST}")
        desk.session(session)
        desk.page.evaluate("window.isSamePage = true")
        approval = note(api)

    expect(desk.page.locator("#ae-live")).to_have_attribute("data-state", "reconnecting")
    assert desk.page.evaluate("document.body.hasAttribute('data-stale')") is True
    with start_server("--port", port, home=home, **PERIODS) as server:
        api = Api(server.url, server.token)
        for verb in ("start", "pause", "stop"):
            api.post(f"sessions/{session['id']}/{verb}")
        desk.live()

        expect(desk.page.locator(".ae-event")).to_have_count(4)
        assert desk.events()[0] == "Session stopped"
        assert desk.page.evaluate("document.body.hasAttribute('data-stale')") is False
        assert desk.page.evaluate("window.isSamePage") is True
        stored = api.get(f"sessions/{session['id']}/events")["data"]
        assert len(stored) == desk.page.locator(".ae-event").count()
        kept = api.get("approvals")["data"]
        assert [(one["id"], one["digest"]) for one in kept] == [
            (approval["id"], approval["digest"])
        ]
        desk.open(card(approval)).live()
        desk.page.locator("#ae-approve").click()
        expect(desk.page.locator("#ae-decided [data-word=completed]").first).to_be_visible()
    context.close()


def test_half_open_connection_is_noticed_by_its_silence(desk, api):
    session = api.session()
    desk.page.route_web_socket("**/ws/live", Muted().serve)
    desk.open(f"{LIST}{session['id']}/change/").live()

    api.post(f"sessions/{session['id']}/start")

    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute(
        "data-word", "running", timeout=20_000
    )


class Muted:
    """A connection whose first socket falls silent after the snapshot, without closing."""

    def __init__(self) -> None:
        self.count = 0

    def serve(self, page_side) -> None:
        self.count += 1
        is_first, heard = self.count == 1, []
        server = page_side.connect_to_server()

        def pass_on(message) -> None:
            heard.append(message)
            if not is_first or len(heard) <= 3:
                page_side.send(message)

        server.on_message(pass_on)


def test_signing_out_elsewhere_takes_the_page_offline(new_context, browser, served, api):
    context = browser.new_context()
    desk = Desk(context.new_page(), served.url)
    desk.open(f"/admin/login/?next={LIST}")
    desk.page.fill("#id_username", served.user)
    desk.page.fill("#id_password", served.password)
    desk.page.click("button[type=submit]")
    desk.page.wait_for_url(f"**{LIST}")
    desk.live()

    other = context.new_page()
    other.goto(f"{served.url}/admin/")
    other.evaluate("document.getElementById('logout-form').submit()")

    expect(desk.page.locator("#ae-live-detail")).to_have_text("signed out", timeout=15_000)
    expect(desk.page.locator("#ae-live")).to_have_attribute("data-state", "offline")
    context.close()


def test_menu_of_the_person_opens_by_keyboard(desk):
    desk.open(LIST)
    menu = desk.page.locator("#nav-sidebar [role=button]", has_text="admin")
    menu.focus()

    desk.page.keyboard.press("Enter")

    expect(desk.page.get_by_role("button", name="Log out")).to_be_visible()


PAGES = {
    "login": "/admin/login/",
    "dashboard": "/admin/",
    "sessions": LIST,
    "session": "{session}?at=1",
    "participants": "{session}?tab=participants",
    "topics": "{session}?tab=topics&topic=book",
    "config": "{session}?tab=config",
    "checkpoints": "{session}?tab=checkpoints",
    "artifacts": "{session}?tab=artifacts",
    "artifact": f"{LIST}{{id}}/artifacts/{{artifact}}/?analysis=1",
    "checkpoint": f"{LIST}{{id}}/checkpoints/{{checkpoint}}/",
    "new session": f"{LIST}add/",
    "import": f"{LIST}import/",
    "components": "/admin/aegis_components/component/",
    "component": "/admin/aegis_components/component/{component}/change/",
    "monitor": "/admin/aegis_streaming/log/?tail={id}:book",
    "no monitor": "/admin/aegis_streaming/log/?q=nothing",
    "one topic": "/admin/aegis_streaming/log/{id}/book/",
    "programs": "/admin/aegis_components/program/",
    "new program": "/admin/aegis_components/program/add/",
    "agents": "/admin/aegis_sessions/agent/",
    "new agent": "/admin/aegis_sessions/agent/add/",
    "providers": "/admin/aegis_sessions/provider/",
    "new provider": "/admin/aegis_sessions/provider/add/",
    "triggers": "/admin/aegis_sessions/trigger/",
    "new trigger": "/admin/aegis_sessions/trigger/add/",
    "tool servers": "/admin/aegis_sessions/toolserver/",
    "new tool server": "/admin/aegis_sessions/toolserver/add/",
    "statistics": f"{LIST}statistics/",
    "replay": f"{LIST}replay/",
    "review": f"{LIST}{{id}}/review/",
    "redrive": f"{LIST}{{id}}/redrive/",
    "compare": f"{LIST}{{id}}/compare/?with={{id}}",
    "templates": "/admin/aegis_sessions/preset/",
    "new template": "/admin/aegis_sessions/preset/add/",
    "policies": "/admin/aegis_sessions/policy/",
    "audit": "/admin/aegis_streaming/auditentry/",
    "audit of a session": "{session}?tab=audit",
    "grants": "/admin/aegis_sessions/grant/",
    "webhooks": "/admin/aegis_sessions/webhook/",
    "new webhook": "/admin/aegis_sessions/webhook/add/",
    "credentials": "/admin/aegis_components/credential/",
    "new credential": "/admin/aegis_components/credential/add/",
    "health": "/admin/health/",
    "budgets": "/admin/budgets/",
    "playground": "/admin/playground/",
}


@pytest.fixture(scope="module")
def session(served) -> dict[str, Any]:
    api = Api(served.url, served.token)
    made = api.session(environment="production", context={"symbol": "BTCUSDT"})
    api.post(f"sessions/{made['id']}/attach", {"components": [{"name": "feed", "role": "feed"}]})
    feed = Scripted(served.ws_url, api.token_of(made), "feed", "book").register()
    made["component"] = feed.id
    feed.close()
    api.post(f"sessions/{made['id']}/topics/book", {"records": [{"data": {"bid": 1}}]})
    made["checkpoint"] = api.post(f"sessions/{made['id']}/checkpoints", {"label": "kept"})["id"]
    wanted = {"name": "day.md", "type": "report", "format": "md", "title": "The day"}
    made["artifact"] = api.post(f"sessions/{made['id']}/artifacts/generate", wanted)["id"]
    return made


def address(name: str, session: dict[str, Any]) -> str:
    """Where a page of this session is."""
    known = {name: session[name] for name in ("id", "checkpoint", "artifact", "component")}
    return PAGES[name].format(session=f"{LIST}{session['id']}/change/", **known)


@pytest.mark.parametrize("name", PAGES)
def test_page_loads_from_here_alone_and_keeps_the_policy(desk, session, served, name):
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))

    desk.open(address(name, session))
    desk.page.wait_for_load_state("networkidle")

    assert [url for url in asked if not url.startswith((served.url, "data:"))] == []
    assert desk.page.locator("script:not([src]):not([type='application/json'])").count() == 0
    if name != "login":
        # SH1: the palette opens on every page.
        desk.page.keyboard.press("Control+k")
        expect(desk.page.locator("#ae-palette-input")).to_be_focused()
