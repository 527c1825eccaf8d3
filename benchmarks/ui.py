"""What a browser makes of the admin's pages, against the budgets of specification 6."""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import machine, report
from benchmarks.verdicts import Verdict, shown
from tests.browser.desk import LIST, Api, Desk, Scripted
from tests.conftest import find_chromium
from tests.serving import Running, start_server

MONITOR = "/admin/aegis_streaming/log/"
TOPIC = "trades"
# The lists of the interface, of which two are a session's own.
LISTS = (
    *("sessions", "approvals", "components", "topics", "agents", "templates", "policies", "runs"),
    *("credentials", "webhooks", "tags", "bookmarks", "audit"),
    *("sessions/long/events", "sessions/long/messages"),
)
ROUNDS, WARM_ROUNDS = 7, 1
# A publisher says a hundred records at once.
BATCH, BEAT_SECONDS, KEY_SECONDS = 100, 1.0, 0.1
# What an entry of the browser's event timing can be short of.
SHORTEST_MS = 16.0
MIB = 1024 * 1024

PAINT = """() => new Promise((resolve) => {
  const told = () => {
    const entry = performance.getEntriesByName("first-contentful-paint")[0];
    return entry ? resolve(entry.startTime) : requestAnimationFrame(told);
  };
  told();
})"""
# When each event is on the screen: after the frame in which it came into the document.
WATCH = """() => {
  window.painted = [];
  new MutationObserver((changes) => {
    const seqs = changes.flatMap((change) => [...change.addedNodes]).map((row) => row.dataset?.seq);
    requestAnimationFrame(() => setTimeout(() => {
      for (const seq of seqs) if (seq) window.painted.push([Number(seq), Date.now()]);
    }));
  }).observe(document.getElementById("ae-events"), { childList: true });
}"""
LISTEN = """() => {
  window.inputs = [];
  new PerformanceObserver((list) =>
    window.inputs.push(...list.getEntriesByType("event").filter((one) => one.name === "keydown")
      .map((one) => one.duration))
  ).observe({ type: "event", durationThreshold: 16 });
}"""


@dataclass(frozen=True, slots=True)
class Asked:
    """How much there is of everything."""

    sessions: int
    events: int
    rate: int
    records: int
    seconds: float


def measure(asked: Asked) -> list[Verdict]:
    """All budgets, on one server with SQLite and one Chromium."""
    ours, others = machine.cores()
    with machine.pinned(ours), start_server() as running, machine.pinned(others):
        report.progress(f"{asked.sessions:,} sessions, a ledger of {asked.events:,} events")
        fill(running, f"sessions({asked.sessions})")
        long = fill(running, f"long_session({asked.events})").split()[-1]
        with chromium() as browser:
            return [
                *paints(running, browser, asked, long),
                *lists(running, browser, asked),
                *pixels(running, browser, asked),
                *tail(running, browser, asked),
            ]


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


def pixels(running: Running, browser: Browser, asked: Asked) -> Iterator[Verdict]:
    """From the commit of an event to the frame that shows it."""
    report.progress(f"ledger to pixels at {asked.rate} events/s")
    session = Api(running.url, running.token).session()
    desk = Desk(page(running, browser), running.url).session(session, "?view=list")
    desk.page.evaluate(WATCH)
    call = f"write({session['id']!r}, rate={asked.rate}, seconds={asked.seconds})"
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(fill, running, call)
        while not writing.done():
            desk.page.wait_for_timeout(200)
    committed = dict(map(pair, writing.result().splitlines()))
    desk.page.wait_for_function("seq => painted.some((one) => one[0] === seq)", arg=max(committed))
    painted: dict[int, float] = dict(desk.page.evaluate("painted"))
    waits = sorted(painted[seq] - at for seq, at in committed.items() if seq in painted)
    desk.page.context.close()
    what = f"ledger to pixels, {len(committed):,} events at {asked.rate}/s"
    yield below(f"{what}, p50", quantile(waits, 0.5), 300)
    yield below(f"{what}, p95", quantile(waits, 0.95), 300)
    yield below(f"{what}, not seen", len(committed) - len(waits), 0, unit="")


def tail(running: Running, browser: Browser, asked: Asked) -> Iterator[Verdict]:
    """What a page that tails a fast topic leaves of the browser for whoever types in it."""
    report.progress(f"tail of {asked.records:,} records/s")
    api = Api(running.url, running.token)
    session = api.session()
    speaker = Scripted(running.ws_url, api.token_of(session), "speaker")
    speaker.register().hello().ready()
    api.post(f"sessions/{session['id']}/start")
    desk = Desk(page(running, browser), running.url)
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        speaking = pool.submit(speak, speaker, asked.records, over)
        try:
            desk.open(f"{MONITOR}?session={session['id']}&tail={session['id']}:{TOPIC}").live()
            desk.page.evaluate(LISTEN)
            press(desk.page, asked.seconds / 2)
            before = used(desk.page)
            press(desk.page, asked.seconds)
            grown = used(desk.page) - before
            presses = int(asked.seconds * 1.5 / KEY_SECONDS)
            inputs = desk.page.evaluate("inputs")
        finally:
            over.set()
        rate = speaking.result()
    speaker.close()
    desk.page.context.close()
    delays = sorted([*inputs, *[SHORTEST_MS] * max(presses - len(inputs), 0)])
    yield Verdict("tail, records published", rate, asked.records * 0.95, asked.records, "/s")
    yield below("tail, key to next paint, p95", quantile(delays, 0.95), 100)
    yield below("tail, memory of the page, growth", grown / MIB, 2, unit=" MiB")


def speak(speaker: Scripted, rate: int, over: threading.Event) -> float:
    """Publish so many records a second until it is over; how many it were."""
    begun_at, count, beats = time.monotonic(), 0, 0
    while not over.wait(max(0.0, begun_at + count / rate - time.monotonic())):
        speaker.publish(TOPIC, *({"id": count + n, "price": 87_500.25} for n in range(BATCH)))
        count += BATCH
        if time.monotonic() - begun_at > beats * BEAT_SECONDS:
            beats += 1
            speaker.beat()
    return count / (time.monotonic() - begun_at)


def press(shown_by: Page, seconds: float) -> None:
    """Type in the page's search as a person does."""
    field = shown_by.locator("#ae-search")
    field.focus()
    for _ in range(int(seconds / KEY_SECONDS)):
        shown_by.keyboard.press("ArrowLeft")
        shown_by.wait_for_timeout(KEY_SECONDS * 1000)


def used(shown_by: Page) -> float:
    """Bytes of the heap of the page's scripts, rubbish collected."""
    tools = shown_by.context.new_cdp_session(shown_by)
    tools.send("HeapProfiler.enable")
    tools.send("HeapProfiler.collectGarbage")
    tools.send("Performance.enable")
    told: dict[str, Any] = tools.send("Performance.getMetrics")
    return float(next(one["value"] for one in told["metrics"] if one["name"] == "JSHeapUsedSize"))


def pair(line: str) -> tuple[int, float]:
    """A number and a time."""
    seq, at = line.split()
    return int(seq), float(at)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that so much of them is at or below."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def below(what: str, value: float, bar: float, *, unit: str = " ms") -> Verdict:
    """A figure that must not be above the bar."""
    return Verdict(what, value, bar, bar, unit, is_less_better=True)


def main(arguments: Sequence[str]) -> int:
    """Measure as asked; 1 when a budget is not kept."""
    parser = argparse.ArgumentParser(prog="benchmarks/ui", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=50_000, help="of the long ledger")
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--records", type=int, default=2000, help="of the tail, a second")
    parser.add_argument("--seconds", type=float, default=20, help="how long each stream lasts")
    parser.add_argument("--json", action="store_true", help="figures alone, for programs")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    found = measure(Asked(**options))
    if as_json:
        print(json.dumps({one.what: one.measured for one in found}, indent=2))
    else:
        print(f"{report.header()}\n{report.quietness()}\n\n{shown(found)}")
    return int(any(one.word == "FALLS SHORT" for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
