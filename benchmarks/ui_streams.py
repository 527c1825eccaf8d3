"""What pages make of what never stops: a busy ledger, a busy installation, a fast topic."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

from benchmarks import report
from benchmarks.ui_desk import Asked, below, fill, page, quantile
from benchmarks.verdicts import Verdict
from tests.browser.desk import Api, Desk, Scripted
from tests.serving import Running

MONITOR = "/admin/aegis_streaming/log/"
TOPIC = "trades"
# A publisher says a hundred records at once.
BATCH, BEAT_SECONDS, KEY_SECONDS = 100, 1.0, 0.1
# What an entry of the browser's event timing can be short of.
SHORTEST_MS = 16.0
HEAP, MIB = "JSHeapUsedSize", 1024 * 1024

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
# How long the browser was busy in tasks of more than 50 ms, and since when that is counted.
TASKS = """() => {
  [window.tasks, window.moves, window.begun] = [0, 0, performance.now()];
  new MutationObserver(() => (moves += 1))
    .observe(document.getElementById("ae-deck"), { childList: true, subtree: true });
  new PerformanceObserver((list) => list.getEntries().forEach((one) => (tasks += one.duration)))
    .observe({ type: "longtask" });
}"""
LISTEN = """() => {
  window.inputs = [];
  new PerformanceObserver((list) =>
    window.inputs.push(...list.getEntriesByType("event").filter((one) => one.name === "keydown")
      .map((one) => one.duration))
  ).observe({ type: "event", durationThreshold: 16 });
}"""


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


def board(running: Running, browser: Browser, asked: Asked) -> Iterator[Verdict]:
    """What a dashboard over many sessions leaves of the browser, and whether it grows (D4)."""
    report.progress(f"dashboard of {asked.boards} sessions at {asked.rate} events/s")
    api = Api(running.url, running.token)
    ids = [api.session()["id"] for _ in range(asked.boards)]
    for one in ids:
        api.post(f"sessions/{one}/start")
    desk = Desk(page(running, browser), running.url)
    desk.open("/admin/").live()
    desk.page.evaluate(TASKS)
    # The first third shows everything once; what is there then has to do.
    whole = asked.seconds * 3
    call = f"write(*{ids!r}, rate={asked.rate}, seconds={whole})"
    tools = metered(desk.page)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(fill, running, call)
        desk.page.wait_for_timeout(asked.seconds * 1000)
        before = told(tools, "Nodes")
        while not writing.done():
            desk.page.wait_for_timeout(200)
        writing.result()
    grown = told(tools, "Nodes") - before
    busy, moves, lasted = desk.page.evaluate("[tasks, moves, performance.now() - begun]")
    desk.page.context.close()
    what = f"dashboard of {asked.boards} sessions, {asked.rate} events/s"
    yield Verdict(f"{what}, it moved", moves, whole, whole, " times")
    yield below(f"{what}, long tasks", 100 * busy / lasted, 5, unit=" %")
    yield below(f"{what}, nodes more after a third of {whole:.0f} s", grown, 100, unit="")


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
            tools = metered(desk.page)
            press(desk.page, asked.seconds / 2)
            before = told(tools, HEAP)
            press(desk.page, asked.seconds)
            grown = told(tools, HEAP) - before
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


def metered(shown_by: Page) -> CDPSession:
    """The browser's own figures of a page."""
    tools = shown_by.context.new_cdp_session(shown_by)
    tools.send("HeapProfiler.enable")
    tools.send("Performance.enable")
    return tools


def told(tools: CDPSession, name: str) -> float:
    """One of the figures, rubbish collected."""
    tools.send("HeapProfiler.collectGarbage")
    found: dict[str, Any] = tools.send("Performance.getMetrics")
    return float(next(one["value"] for one in found["metrics"] if one["name"] == name))


def pair(line: str) -> tuple[int, float]:
    """A number and a time."""
    seq, at = line.split()
    return int(seq), float(at)
