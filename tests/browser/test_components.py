"""The page of a component, by the names of its acceptance list."""

import re

from playwright.sync_api import expect

from tests.browser.desk import Scripted

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
    component.close()
