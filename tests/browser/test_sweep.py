"""Every page through theme, width and forced colours with axe."""

import json
from pathlib import Path

import pytest

from tests.browser.desk import Desk
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


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("look", LOOKS)
def test_sh5_axe_finds_nothing_serious(new_context, served, session, look, width):  # noqa: F811
    context = new_context(viewport={"width": width, "height": 800}, **LOOKS[look])
    desk = Desk(context.new_page(), served.url)
    found = {}

    for name in PAGES:
        desk.open(address(name, session))
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
