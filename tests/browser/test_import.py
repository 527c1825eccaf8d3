"""Bringing a session in: how far it is, what is refused, a connection that is cut."""

import re
import urllib.request
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.desk import LIST

# The page is left when all is done.
REMEMBER = """
new MutationObserver(() => {
  const stage = document.getElementById("ae-bring-stage").textContent;
  const said = JSON.parse(sessionStorage.getItem("stages") ?? "[]");
  if (said.at(-1) !== stage) sessionStorage.setItem("stages", JSON.stringify([...said, stage]));
}).observe(document.getElementById("ae-bring-stage"), { childList: true });
"""


@pytest.fixture
def capsule(api, served) -> dict[str, Any]:
    """The file of a session that is here."""
    session = api.session()
    request = urllib.request.Request(  # noqa: S310 -- a server of ours
        f"{served.url}/api/v1/sessions/{session['id']}/capsule",
        headers={"Authorization": f"Bearer {served.token}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 -- the same
        raw = answer.read()
    return {"name": "desk.capsule", "mimeType": "application/zip", "buffer": raw}


@pytest.fixture
def key() -> str:
    return f"k{uuid4().hex[:10]}"


def test_a_capsule_is_brought_in_and_how_far_it_is_is_shown(desk, capsule, key):
    desk.open(LIST).page.get_by_role("link", name="Import").click()
    desk.page.evaluate(REMEMBER)
    desk.page.locator("#ae-bring-file").set_input_files(capsule)
    desk.page.locator("#ae-bring-key").fill(key)
    desk.page.keyboard.press("Enter")

    expect(desk.page.locator("#ae-title .ae-chip")).to_have_attribute("data-word", "created")
    stages = desk.page.evaluate("JSON.parse(sessionStorage.getItem('stages'))")
    assert (stages[0], stages[-1]) == ("Uploading", "Writing")
    desk.page.get_by_role("link", name="Config", exact=True).click()
    expect(desk.page.locator("dl").first).to_contain_text(key)
    with desk.page.expect_download() as got:
        desk.page.get_by_role("link", name="Export the session as one file").click()
    assert got.value.suggested_filename == f"{key}.capsule"
    assert desk.faults == []


def test_what_is_refused_is_told_and_can_be_sent_otherwise(desk, capsule, key):
    desk.open(f"{LIST}import/")
    broken = {**capsule, "buffer": b"x"}
    desk.page.locator("#ae-bring-file").set_input_files(broken)
    desk.page.get_by_role("button", name="Import session").click()
    expect(desk.page.locator("#ae-bring-problem")).to_contain_text("VALIDATION_ERROR")
    expect(desk.page.locator("#ae-bring-progress")).to_be_hidden()

    desk.page.locator("#ae-bring-file").set_input_files(capsule)
    desk.page.locator("#ae-bring-key").fill(key)
    desk.page.get_by_role("button", name="Import session").click()

    expect(desk.page.locator("#ae-title")).to_be_visible()


def test_what_is_sent_again_after_a_cut_is_made_once(desk, api, capsule, key):
    asked: list[str] = []

    def cut(route: Any) -> None:
        asked.append(route.request.headers["idempotency-key"])
        if len(asked) > 1:
            route.continue_()
            return
        # All was done there, and the answer did not come.
        route.fetch()
        route.abort()

    desk.open(f"{LIST}import/")
    desk.page.route(re.compile(r"/api/v1/sessions/import"), cut)
    desk.page.locator("#ae-bring-file").set_input_files(capsule)
    desk.page.locator("#ae-bring-key").fill(key)
    go = desk.page.get_by_role("button", name="Import session")
    go.click()
    expect(desk.page.locator("#ae-bring-problem")).to_contain_text("it is not made twice")

    go.click()

    expect(desk.page.locator("#ae-title")).to_be_visible()
    assert asked[0] == asked[1]
    assert len(api.get(f"sessions?search={key}")["data"]) == 1
