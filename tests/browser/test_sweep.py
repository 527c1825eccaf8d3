"""Every page through theme, width and forced colours with axe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.desk import Api, Desk
from tests.browser.floor import INBOX, Floor, card
from tests.browser.test_shell import PAGES, address, session  # noqa: F401 -- a fixture

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# Findings inside Unfold that our style sheet cannot mend, by rule.
UNFOLD: dict[str, str] = {}
GATE = ["approvals", "approval", "decided"]
WIDTHS = [1280, 320]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
# What another look can change; all else axe reads from elements that stay as they are.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """
async (rules) => (await axe.run(document, {
  resultTypes: ['violations'], ...(rules ? {runOnly: {type: 'rule', values: rules}} : {}),
})).violations
"""
# A colour on its way from one look to another, or of what comes into sight, is nobody's.
AT_ONCE = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important; }");
  document.adoptedStyleSheets.push(sheet);
}
"""
# Unfold looks for the theme of the system once, when a page begins.
AS_BEGUN = "(is_dark) => document.documentElement.classList.toggle('dark', is_dark)"


@pytest.fixture(scope="module")
def approvals(served) -> Iterator[dict[str, str]]:
    """The inbox, a card that waits and one that is decided, by what they are called here."""
    floor = Floor(Api(served.url, served.token), served.ws_url, seconds=3600)
    records = {"records": [{"data": {"bid": 62231.1}}]}
    floor.api.post(f"sessions/{floor.session['id']}/topics/book", records)
    decided = floor.order(quantity=6)
    floor.decide(decided, approved=False, reason="Too much.")
    waiting = floor.order()
    yield dict(zip(GATE, (INBOX, card(waiting), card(decided)), strict=True))
    floor.clear()


@pytest.mark.parametrize("name", [*PAGES, *GATE])
def test_sh5_axe_finds_nothing_serious(
    desk,
    session,  # noqa: F811 -- a fixture
    approvals,
    name,
):
    desk.open(approvals[name] if name in GATE else address(name, session))
    desk.page.wait_for_load_state("networkidle")

    assert faults(desk) == []


def test_sh5_a_page_that_refuses_is_as_legible(desk):
    desk.open("/nowhere")

    assert desk.page.locator("h1").inner_text() == "Nothing here"
    assert faults(desk) == []


def faults(desk: Desk) -> list[str]:
    """What is wrong with the page at any width and in any look."""
    found = []
    desk.page.evaluate(AXE.read_text())
    desk.page.evaluate(AT_ONCE)
    for width in WIDTHS:
        desk.page.set_viewport_size({"width": width, "height": 800})
        found += [f"{width}: {one}" for one in sideways(desk) + serious(desk)]
    return found


def sideways(desk: Desk) -> list[str]:
    """Whether the page scrolls sideways."""
    more = desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"scrolls sideways by {more}"] if more > 0 else []


def serious(desk: Desk) -> list[str]:
    """What axe calls serious or critical in any look, with the elements."""
    found = []
    for look, media in LOOKS.items():
        desk.page.emulate_media(**media)
        desk.page.evaluate(AS_BEGUN, look == "dark")
        found += [
            f"{look}: {one['id']}: {json.dumps([node['target'] for node in one['nodes']][:3])}"
            for one in desk.page.evaluate(RUN, None if look == "light" else OF_COLOURS)
            if one["impact"] in {"serious", "critical"} and one["id"] not in UNFOLD
        ]
    return found
