"""Every page through theme, width and forced colours with axe."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.desk import Api, Desk
from tests.browser.floor import INBOX, Floor, card
from tests.browser.test_shell import PAGES, address, session  # noqa: F401 -- a fixture

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# Findings inside Unfold that our style sheet cannot mend, by rule.
UNFOLD: dict[str, str] = {}
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


@pytest.fixture(scope="module")
def approvals(served) -> Iterator[dict[str, str]]:
    """The inbox, a card that waits and one that is decided, by what they are called here."""
    floor = Floor(Api(served.url, served.token), served.ws_url, seconds=3600)
    records = {"records": [{"data": {"bid": 62231.1}}]}
    floor.api.post(f"sessions/{floor.session['id']}/topics/book", records)
    decided = floor.order(quantity=6)
    floor.decide(decided, approved=False, reason="Too much.")
    waiting = floor.order()
    yield {"approvals": INBOX, "approval": card(waiting), "decided": card(decided)}
    floor.clear()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("look", LOOKS)
def test_sh5_axe_finds_nothing_serious(
    new_context,
    served,
    session,  # noqa: F811 -- a fixture
    approvals,
    look,
    width,
):
    context = new_context(viewport={"width": width, "height": 800}, **LOOKS[look])
    desk = Desk(context.new_page(), served.url)
    pages = {**{name: address(name, session) for name in PAGES}, **approvals}
    found = {}

    for name, page in pages.items():
        desk.open(page)
        desk.page.wait_for_load_state("networkidle")
        found[name] = sideways(desk) + serious(desk)

    assert {name: faults for name, faults in found.items() if faults} == {}


def sideways(desk: Desk) -> list[str]:
    """Whether the page scrolls sideways."""
    more = desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"scrolls sideways by {more}"] if more > 0 else []


def serious(desk: Desk) -> list[str]:
    """What axe calls serious or critical, with the elements."""
    desk.page.evaluate(AXE.read_text())
    return [
        f"{found['id']}: {json.dumps([node['target'] for node in found['nodes']][:3])}"
        for found in desk.page.evaluate(RUN)
        if found["impact"] in {"serious", "critical"} and found["id"] not in UNFOLD
    ]
