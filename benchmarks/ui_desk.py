"""What the measurements of the pages share: a browser that has signed in, and how much there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.verdicts import Verdict
from tests.conftest import find_chromium
from tests.serving import Running

ROUNDS, WARM_ROUNDS = 7, 1


@dataclass(frozen=True, slots=True)
class Asked:
    """How much there is of everything."""

    sessions: int
    events: int
    rate: int
    records: int
    seconds: float
    boards: int


def fill(running: Running, call: str) -> str:
    """Call something of ``ui_rows`` in a process of its own, beside the server."""
    code = f"from benchmarks import ui_rows; ui_rows.{call}"
    return running.manage("shell", "-v", "0", "-c", code)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the machine."""
    with sync_playwright() as playwright:
        path = find_chromium()
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def page(running: Running, browser: Browser) -> Page:
    """A page of a new browser context that has signed in."""
    found = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    found.goto(f"{running.url}/admin/login/?next=/admin/")
    found.fill("#id_username", running.user)
    found.fill("#id_password", running.password)
    found.click("button[type=submit]")
    found.wait_for_url("**/admin/")
    return found


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that so much of them is at or below."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def below(what: str, value: float, bar: float, *, unit: str = " ms") -> Verdict:
    """A figure that must not be above the bar."""
    return Verdict(what, value, bar, bar, unit, is_less_better=True)
