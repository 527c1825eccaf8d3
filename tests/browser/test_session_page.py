"""The session page, by the names of its acceptance list."""

import re

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed

from tests.browser import people
from tests.browser.desk import Desk, Scripted, until
from tests.browser.test_sweep import faults

# Notes each state that the chip of the one participant shows.
WATCH_CHIP = """() => {
  window.shown = [];
  const panel = document.getElementById("ae-panel");
  new MutationObserver(() => {
    const word = panel.querySelector(".ae-chip")?.dataset.word;
    if (word && shown.at(-1) !== word) shown.push(word);
  }).observe(panel, { subtree: true, childList: true, attributes: true });
}"""


def test_sp1_first_event_appears_without_reload(desk, api):
    session = api.session()
    desk.session(session, "?show=errors")
    assert desk.events() == []

    api.post(
        f"sessions/{session['id']}/fail", {"error": {"code": "X", "message": "The book froze."}}
    )

    expect(desk.page.locator(".ae-event-what").first).to_have_text("The book froze.")


@pytest.mark.parametrize(
    ("state", "verbs"),
    [
        ("created", []),
        ("running", ["start"]),
        ("paused", ["start", "pause"]),
        ("stopped", ["start", "stop"]),
        ("failed", ["fail"]),
        ("completed", ["start", "complete"]),
        ("ended", ["end"]),
    ],
)
def test_sp2_lever_enables_what_the_api_allows(desk, api, state, verbs):
    session = api.session()
    for verb in verbs:
        body = {"error": {"code": "X", "message": "x"}} if verb == "fail" else {}
        api.post(f"sessions/{session['id']}/{verb}", body)

    desk.session(session)

    found = api.get(f"sessions/{session['id']}")
    assert found["state"] == state
    lever = {"start", "pause", "stop", "complete", "end"}
    assert set(desk.enabled()) == set(found["allowed"]) & lever


def test_sp2_refused_verb_explains_itself_and_does_nothing(desk, api):
    session = api.session()
    desk.session(session)

    desk.page.locator("#ae-lever [data-verb=pause]").focus()
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#ae-problem")).to_contain_text("Cannot pause while created.")
    assert api.get(f"sessions/{session['id']}")["state"] == "created"


def test_start_moves_the_page_when_the_server_says_so(desk, api):
    session = api.session()
    desk.session(session)

    desk.page.locator("#ae-lever [data-verb=start]").click()

    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "running")
    expect(desk.page.locator(".ae-event-what").first).to_have_text("Session runs")
    assert api.get(f"sessions/{session['id']}")["state"] == "running"


def test_end_asks_first_with_the_focus_on_cancel(desk, api):
    session = api.session()
    desk.session(session)

    desk.page.locator("#ae-lever [data-verb=end]").click()
    expect(desk.page.locator("#ae-ask-cancel")).to_be_focused()
    desk.page.keyboard.press("Escape")
    assert api.get(f"sessions/{session['id']}")["state"] == "created"

    desk.page.locator("#ae-lever [data-verb=end]").click()
    desk.page.locator("#ae-ask-go").click()
    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "ended")


def test_production_verb_waits_for_a_reason(desk, api):
    session = api.session(environment="production")
    desk.session(session)
    expect(desk.page.locator(".ae-inverse")).to_have_text("PRODUCTION")

    desk.page.locator("#ae-lever [data-verb=start]").click()
    desk.page.locator("#ae-ask-go").click()
    assert api.get(f"sessions/{session['id']}")["state"] == "created"
    desk.page.locator("#ae-ask-reason").fill("opening the desk")
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "running")


def test_sp7_silent_component_turns_late_lost_and_failed(desk, api, served):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    desk.session(session, "?tab=participants")
    desk.page.evaluate(WATCH_CHIP)

    component = Scripted(served.ws_url, api.token_of(session), "risk-meter", "risk").register()
    component.hello().subscribe().ready()
    component.beat()

    shown = until(lambda: (all_ := desk.page.evaluate("shown"))[-1:] == ["failed"] and all_)
    assert [word for word in shown if word not in {"registered", "ready"}] == [
        "running",
        "late",
        "lost",
        "failed",
    ]
    expect(desk.page.locator("#ae-title")).to_contain_text("Degraded")
    expect(desk.page.locator("#ae-strip")).to_contain_text("risk-meter failed (optional)")


def test_co1_each_rung_of_the_handshake_lights_up_in_order(desk, api, served):
    session = api.session()
    desk.session(session, "?tab=participants")
    expect(desk.page.locator("#ae-panel")).to_contain_text("Nobody is attached")
    desk.page.locator("#ae-token").click()
    made = desk.page.locator("#ae-made-shell").inner_text()
    (token,) = re.findall(r"AEGIS_SESSION_TOKEN=(\S+)", made)
    ladder = desk.page.locator(".ae-ladder")
    says = desk.page.locator(".ae-ladder-says")

    component = Scripted(served.ws_url, token, "feed", "book").register()
    expect(ladder).to_have_attribute("aria-label", re.compile("^2 of 6 steps"))
    expect(says).to_have_text("waits for its data socket")
    component.hello()
    expect(ladder).to_have_attribute("aria-label", re.compile("^3 of 6 steps"))
    expect(says).to_have_text("waits for READY")
    component.subscribe()
    expect(ladder).to_have_attribute("aria-label", re.compile("^4 of 6 steps"))
    expect(says).to_have_text("waits for READY")
    component.ready()
    expect(ladder).to_have_attribute("aria-label", re.compile("^5 of 6 steps"))
    expect(says).to_have_text("ready, runs when the session does")
    desk.page.locator("#ae-lever [data-verb=start]").click()
    expect(says).to_have_text("receives data")
    expect(ladder).to_have_attribute("aria-label", re.compile("^6 of 6 steps"))
    expect(desk.page.locator("#ae-made-shell")).to_have_text(re.compile(token))
    component.close()


def test_co4_revoked_token_closes_its_sockets_and_the_page_says_so(desk, api, served):
    session = api.session()
    made = api.post(f"sessions/{session['id']}/tokens")
    component = Scripted(served.ws_url, made["session_token"], "meter", "risk").register()
    component.hello().subscribe().ready()
    desk.session(session, "?tab=participants")

    api.call("DELETE", f"credentials/{made['credential']['id']}")

    for socket in (component.control, component.data):
        with pytest.raises(ConnectionClosed):
            list(socket)
    expect(desk.page.locator("#ae-panel .ae-chip[data-word=failed]")).to_be_visible()
    expect(desk.page.locator("#ae-panel")).to_contain_text("token revoked")
    component.close()


def test_sp10_link_with_a_position_opens_selected(desk, api):
    session = api.session()
    for verb in ("start", "pause", "start", "stop"):
        api.post(f"sessions/{session['id']}/{verb}")

    desk.session(session, "?at=2")

    expect(desk.page.locator(".ae-event[aria-current=true]")).to_have_attribute("data-seq", "2")
    expect(desk.page.locator("#ae-drawer")).to_contain_text("session.activated")


def test_sp10_link_with_a_position_is_veiled_for_who_may_not_read_topics(browser, api, served):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    api.post(f"sessions/{session['id']}/topics/hush", {"records": [{"data": {"secret": 1}}]})
    until(lambda: api.get(f"topics?session={session['id']}")["data"])
    page = people.signed_in(browser, served, ["view_session"])
    desk = Desk(page, served.url).session(session, "?at=2&view=lanes")

    expect(page.locator("#ae-drawer")).to_contain_text("session.activated")
    expect(page.locator("#ae-lane-names")).to_contain_text("1 topic")
    expect(page.locator(".ae-strip-veiled")).to_contain_text("you may not read topics")
    desk.session(session, "?at=2&view=list")
    expect(page.locator(".ae-event[aria-current=true]")).to_have_attribute("data-seq", "2")
    expect(page.locator("#ae-veil")).to_contain_text("1 topic of this session is veiled")
    page.get_by_role("link", name="Review this instant").click()
    expect(page.locator(".ae-strip-veiled")).to_be_attached()
    shown = page.content()
    page.context.close()

    assert "hush" not in shown
    assert "secret" not in shown
    assert desk.faults == []


def test_drawer_opens_by_keyboard_and_gives_the_focus_back(desk, api):
    session = api.session()
    desk.session(session, "?view=list")
    link = desk.page.locator(".ae-event-what").first
    link.focus()

    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#ae-drawer")).to_contain_text("session.created")
    desk.page.keyboard.press("Escape")

    expect(desk.page.locator("#ae-drawer")).to_be_hidden()
    expect(link).to_be_focused()


def test_sp12_pause_in_one_browser_moves_the_lever_of_another(desk, api, new_context, served):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    other = Desk(new_context().new_page(), served.url).session(session)
    desk.session(session)

    desk.page.locator("#ae-lever [data-verb=pause]").click()

    chip = other.page.locator("#ae-title .ae-chip")
    expect(chip).to_have_attribute("data-word", "paused")
    assert other.enabled() == ["start", "pause", "stop", "complete", "end"]


def test_held_view_stands_still_and_loses_nothing(desk, api):
    session = api.session()
    desk.session(session)
    badge = desk.page.locator("#ae-live")

    desk.page.keyboard.press("Space")
    expect(badge).to_have_attribute("data-state", "held")
    for verb in ("start", "pause", "start"):
        api.post(f"sessions/{session['id']}/{verb}")
    expect(desk.page.locator("#ae-live-detail")).to_have_text("3 new")
    assert desk.events() == ["Session created"]
    assert desk.page.locator("#ae-title .ae-chip").get_attribute("data-word") == "created"

    desk.remember_badge()
    desk.page.keyboard.press("Space")
    desk.expect_badge_said("Caught up, 3 events")
    assert desk.events() == ["Session runs", "Session paused", "Session runs", "Session created"]
    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "running")


def test_focus_stays_where_it_is_when_the_lever_changes(desk, api):
    session = api.session()
    desk.session(session)
    stop = desk.page.locator("#ae-lever [data-verb=stop]")
    stop.focus()

    api.post(f"sessions/{session['id']}/start")

    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "running")
    expect(stop).to_be_focused()
    assert stop.get_attribute("aria-disabled") is None


def test_older_events_come_on_demand(desk, api):
    session = api.session()
    for _ in range(60):
        api.post(f"sessions/{session['id']}/start")
        api.post(f"sessions/{session['id']}/pause")
    desk.session(session, "?view=list")
    rows = desk.page.locator(".ae-event")
    expect(rows).to_have_count(100)

    desk.page.locator("#ae-older").click()

    expect(rows).to_have_count(121)
    expect(desk.page.locator("#ae-begin")).to_be_visible()
    seqs = [int(row.get_attribute("data-seq")) for row in rows.all()]
    assert seqs == list(range(121, 0, -1))


def test_times_switch_between_utc_local_and_ago(new_context, served, api):
    session = api.session()
    page = new_context(timezone_id="Asia/Tokyo").new_page()
    desk = Desk(page, served.url).session(session, "?view=list")
    time = desk.page.locator(".ae-event time").first
    utc = time.inner_text()

    desk.page.locator(".ae-slot [data-times=local]").click()
    local = time.inner_text()
    desk.page.locator(".ae-slot [data-times=ago]").click()

    assert (int(local[-8:-6]) - int(utc[-8:-6])) % 24 == 9
    expect(time).to_have_text(re.compile(r"^\d+ s$"))
    desk.page.reload()
    expect(desk.page.locator(".ae-event time").first).to_have_text(re.compile(r"^\d+ s$"))


def test_durations_read_the_same_in_the_page_as_from_the_server(desk, api):
    from aegis_project import marks  # noqa: PLC0415 -- needs Django's settings

    desk.session(api.session())
    seconds = [0, 0.9, 59, 60, 754, 3599, 3600, 7680, 86399, 86400, 90000, 540000]

    shown = desk.page.evaluate(
        """async (all) => {
          const { duration } = await import("/static/aegis/js/times.js");
          return all.map(duration);
        }""",
        seconds,
    )

    assert shown == [marks.duration(one) for one in seconds]


def test_sp11_closed_session_is_read_only(desk, api):
    session = api.session()
    api.post(f"sessions/{session['id']}/end", {"reason": "done"})

    desk.session(session, "?tab=participants")

    assert desk.enabled() == ["end"]
    expect(desk.page.locator("#ae-panel")).to_have_text("Nobody took part in this session.")
    until(lambda: not desk.page.locator("#ae-token").count())


def test_lever_on_a_phone_has_two_verbs_and_a_menu(desk, api):
    session = api.session()
    api.post(f"sessions/{session['id']}/start")
    desk.page.set_viewport_size({"width": 320, "height": 800})
    desk.session(session, "?view=list")
    verb = desk.page.locator
    expect(verb("[data-verb=pause]")).to_be_in_viewport()
    expect(verb("[data-verb=stop]")).to_be_in_viewport()
    expect(verb("[data-verb=complete]")).to_be_hidden()
    more = desk.page.get_by_role("button", name="More verbs")

    more.focus()
    desk.page.keyboard.press("Enter")
    expect(verb("[data-verb=complete]")).to_be_in_viewport()
    assert faults(desk) == []
    desk.page.set_viewport_size({"width": 320, "height": 800})
    desk.page.keyboard.press("Escape")
    expect(verb("[data-verb=complete]")).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    verb("[data-verb=end]").click()
    desk.page.get_by_role("button", name="End session").click()

    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "ended")
    expect(verb("[data-verb=complete]")).to_be_hidden()
