"""The page of a component, by the names of its acceptance list."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, Scripted
from tests.browser.test_sweep import faults
from tests.serving import ROOT, clean

PAGE = "/admin/aegis_components/component/{}/change/"


def test_co5_strip_of_the_heartbeat_and_its_table_move_together(desk, api, served):
    session = api.session()
    component = Scripted(served.ws_url, api.token_of(session), "risk-meter", "risk").register()
    component.hello().subscribe().ready()
    desk.open(PAGE.format(component.id)).live()
    expect(desk.page.locator("#ae-beats .ae-beats")).to_have_attribute(
        "aria-label", re.compile("1 connected")
    )
    desk.page.locator(".ae-twin summary").focus()
    desk.page.keyboard.press("Enter")

    marks = desk.page.get_by_role("slider", name="Marks of the heartbeat")
    marks.press("Home")
    expect(marks).to_have_attribute("aria-valuenow", "1")
    expect(marks).to_have_attribute("aria-valuetext", re.compile(r"\d\d:\d\d:\d\d connected$"))
    expect(desk.page.locator("#ae-marks-said")).to_have_text(re.compile("connected$"))

    component.beat()

    expect(desk.page.locator("#ae-beats-table tr[data-word=lost]")).to_be_visible()
    drawn = desk.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#ae-beats path[data-word]")].map(
          (path) => [path.dataset.word, path.getAttribute("d").split("z").length - 1]))"""
    )
    words = desk.page.locator("#ae-beats-table tbody tr").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.word)"
    )
    assert drawn == {word: words.count(word) for word in words}
    assert words[0] == "lost"
    assert {"connected", "heard", "late"} <= set(words)
    said = desk.page.locator("#ae-beats .ae-beats-says").inner_text()
    assert f"Last {len(words)} marks" in said
    expect(desk.page.locator("#ae-standing .ae-chip")).to_have_attribute("data-word", "lost")
    expect(desk.page.locator(".ae-twin")).to_have_attribute("open", "")
    # What was chosen stays so while newer ones come, and the keys go on from there.
    expect(marks).to_have_attribute("aria-valuenow", "1")
    marks.press("End")
    expect(marks).to_have_attribute("aria-valuetext", re.compile(r"lost, after \d+\.\d s$"))
    marks.press("ArrowLeft")
    expect(marks).to_have_attribute("aria-valuenow", str(len(words) - 1))
    component.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_strip_is_as_wide_as_its_place_and_each_mark_is_within_reach(
    new_context, served, api, width
):
    session = api.session()
    component = Scripted(served.ws_url, api.token_of(session), "risk-meter", "risk").register()
    component.hello().subscribe().ready()
    page = new_context(viewport={"width": width, "height": 800}).new_page()
    desk = Desk(page, served.url).open(PAGE.format(component.id)).live()
    marks = page.get_by_role("slider", name="Marks of the heartbeat")
    said = page.locator("#ae-marks-said")
    marks.evaluate("(one) => one.scrollIntoView({ block: 'center' })")
    box = marks.bounding_box()

    # Before the first of them stands nothing; the nearest there is answers.
    page.mouse.move(box["x"] + 2, box["y"] + 20)
    expect(said).to_have_text(re.compile("connected$"))
    first = page.locator("#ae-marks-at").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)

    last = page.locator("#ae-marks-at").bounding_box()
    assert (box["height"] >= 44, box["width"] > width * 0.5) == (True, True)
    assert first["x"] <= last["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert desk.faults == []
    component.close()


@pytest.mark.parametrize("key", ["sdk", "socket"])
def test_first_connection_is_waited_for_and_its_program_is_on_the_page(desk, api, served, key):
    session = api.session()
    body = {"components": [{"name": "prices", "role": "sink"}]}
    api.post(f"sessions/{session['id']}/attach", body)
    [row] = api.get(f"sessions/{session['id']}/components")["data"]
    desk.open(PAGE.format(row["id"])).live()
    page = desk.page
    expect(page.locator("#ae-awaited")).to_contain_text("Waiting for connection.")
    assert faults(desk) == []
    page.get_by_role("button", name="Make a token for it").click()
    expect(page.locator("#ae-made-frame")).to_contain_text('"name": "prices"')
    token = re.search(
        r"AEGIS_SESSION_TOKEN=(\S+)", page.locator("#ae-made-shell").text_content() or ""
    )
    program = page.locator(f"#ae-connect-{key}").text_content() or ""

    assert token
    told = {"AEGIS_URL": served.url, "AEGIS_SESSION_TOKEN": token[1], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", program], env={**clean(), **told})
    try:
        expect(page.locator("#ae-awaited")).to_contain_text("First frame of this connection")
        expect(page.locator("#ae-steps li[data-done]").nth(3)).to_be_visible()
        expect(page.locator("#ae-standing .ae-chip")).to_have_attribute(
            "data-word", re.compile("ready|running")
        )
    finally:
        process.kill()
        process.wait()
    page.reload()
    expect(page.locator("#ae-connect")).to_have_count(0)
    expect(page.get_by_role("slider", name="Marks of the heartbeat")).to_be_visible()
    assert faults(desk) == []
    assert desk.faults == []
