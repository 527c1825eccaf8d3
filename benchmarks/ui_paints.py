"""How long pages with much on them take to come."""

import statistics
import time
from collections.abc import Iterator

from playwright.sync_api import Browser, Page

from benchmarks import report
from benchmarks.ui_desk import ROUNDS, WARM_ROUNDS, Asked, below, fill, page
from benchmarks.verdicts import Verdict
from tests.browser.desk import LIST
from tests.serving import Running

# The lists of the interface, of which two are a session's own.
LISTS = (
    *("sessions", "approvals", "components", "topics", "agents", "templates", "policies", "runs"),
    *("credentials", "webhooks", "tags", "bookmarks", "audit"),
    *("sessions/long/events", "sessions/long/messages"),
)
PAINT = """() => new Promise((resolve) => {
  const told = () => {
    const entry = performance.getEntriesByName("first-contentful-paint")[0];
    return entry ? resolve(entry.startTime) : requestAnimationFrame(told);
  };
  told();
})"""


def paints(running: Running, browser: Browser, asked: Asked, long: str) -> Iterator[Verdict]:
    """From the click to the first paint with content; what is not warm yet is not counted."""
    shown_by = page(running, browser)
    pages = {
        f"list of {asked.sessions:,} sessions, first paint": LIST,
        f"timeline of {asked.events:,} events, first paint": f"{LIST}{long}/change/",
    }
    for what, path in pages.items():
        report.progress(what)
        taken = []
        for _ in range(WARM_ROUNDS + ROUNDS):
            shown_by.goto(running.url + path)
            taken.append(float(shown_by.evaluate(PAINT)))
        counted = taken[WARM_ROUNDS:]
        yield below(f"{what}, median", statistics.median(counted), 1000)
        yield below(f"{what}, slowest of {ROUNDS}", max(counted), 1000)
    shown_by.context.close()


def lists(running: Running, browser: Browser, asked: Asked) -> Iterator[Verdict]:
    """How long the page of each list of the interface takes to come, with twice as many events."""
    report.progress("lists of the interface")
    fill(running, f"long_session({asked.events}, key='other')")
    shown_by = page(running, browser)
    slowest = {where: _median_ms(shown_by, f"{running.url}/api/v1/{where}") for where in LISTS}
    shown_by.context.close()
    where = max(slowest, key=lambda one: slowest[one])
    what = f"list of the interface with {2 * asked.events:,} events, slowest ({where})"
    yield below(what, slowest[where], 500)


def _median_ms(shown_by: Page, address: str) -> float:
    taken = []
    for _ in range(WARM_ROUNDS + ROUNDS):
        begun_at = time.perf_counter()
        answer = shown_by.request.get(address, headers={"Accept": "text/html"})
        if not answer.ok:
            raise RuntimeError(f"{address}: {answer.status}")
        answer.body()
        taken.append((time.perf_counter() - begun_at) * 1000)
    return statistics.median(taken[WARM_ROUNDS:])
