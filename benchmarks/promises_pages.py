"""How long pages take to show what somebody else did, or stopped doing."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, Page
from websockets.exceptions import ConnectionClosed

from benchmarks import report
from benchmarks.ui_desk import page
from benchmarks.verdicts import Verdict
from tests.browser.desk import LIST, Api, Desk, Scripted
from tests.serving import Running, start_server

# How long a component may be silent as the settings have it, and how often it beats.
LOST_SECONDS, BEAT_SECONDS = 15.0, 5.0
PATIENCE_MS = 60_000
# When something is so in a page, by the clock of the machine; looked at in each frame.
AS_IT_IS = "(find) => new Function(`return ${find}`)() && Date.now()"
CHIP = "document.querySelector('%s .ae-chip')?.dataset.word === '%s'"


def slowest(what: str, taken: list[float], bar: float) -> Verdict:
    """The slowest of some waits, in seconds, against what it may take."""
    ordered = sorted(taken)
    middle = ordered[len(ordered) // 2]
    said = f"{what}, slowest of {len(taken)} (middle {middle:.3g} s)"
    return Verdict(said, ordered[-1], bar, bar, " s", is_less_better=True)


def _when(shown_by: Page, find: str) -> float:
    """When this is so in a page, in Unix seconds."""
    found = shown_by.wait_for_function(AS_IT_IS, arg=find, polling="raf", timeout=PATIENCE_MS)
    return float(found.json_value()) / 1000


def _until(shown_by: Page, find: str, act: Callable[[], object]) -> float:
    begun_at = time.time()
    act()
    return _when(shown_by, find) - begun_at


def others(running: Running, browser: Browser, rounds: int) -> Iterator[Verdict]:
    """A list follows the interface, and a lever that of another browser (SL1, SP12)."""
    report.progress("pages that follow others")
    api = Api(running.url, running.token)
    listed, ours, theirs = (Desk(page(running, browser), running.url) for _ in range(3))
    session = api.session()
    key, row = session["key"], f'#result_list tr:has([href*="{session["id"]}"])'
    listed.open(f"{LIST}?q={key}").live()
    ours.session(session)
    theirs.session(session)
    by_list, by_lever = list[float](), list[float]()
    for number in range(rounds):
        verb, word = (("start", "running"), ("pause", "paused"))[number % 2]
        find = CHIP % (row, word)
        by_list.append(
            _until(listed.page, find, lambda: api.post(f"sessions/{session['id']}/{verb}"))  # noqa: B023 -- called at once
        )
        verb, word = (("pause", "paused"), ("start", "running"))[number % 2]
        lever = ours.page.locator(f"#ae-lever [data-verb={verb}]:not([aria-disabled=true])")
        lever.wait_for()
        by_lever.append(_until(theirs.page, CHIP % ("#ae-title", word), lever.click))
        _when(ours.page, CHIP % ("#ae-title", word))
        # From where it stands the next round goes on.
        if number % 2 == 0:
            api.post(f"sessions/{session['id']}/start")
    for one in (listed, ours, theirs):
        one.page.context.close()
    yield slowest("row of a list follows the interface (SL1)", by_list, 1)
    yield slowest("lever follows that of another browser (SP12)", by_lever, 1)


def revoked(running: Running, rounds: int) -> Iterator[Verdict]:
    """Both sockets of a component close when its credential is revoked (CO4)."""
    report.progress("credentials that are revoked")
    api, taken = Api(running.url, running.token), list[float]()
    for number in range(rounds):
        session = api.session()
        made = api.post(f"sessions/{session['id']}/tokens")
        component = Scripted(running.ws_url, made["session_token"], f"meter-{number}", "risk")
        component.register().hello().subscribe().ready()
        begun_at = time.time()
        api.call("DELETE", f"credentials/{made['credential']['id']}")
        for socket in (component.control, component.data):
            with contextlib.suppress(ConnectionClosed):
                list(socket)
        taken.append(time.time() - begun_at)
        component.close()
    yield slowest("sockets of a revoked credential close (CO4)", taken, 1)


def silence(running: Running, browser: Browser, rounds: int) -> Iterator[Verdict]:
    """A component that is silent is broken on the dashboard, beyond its limit (D2)."""
    report.progress(f"components that fall silent, {LOST_SECONDS:.0f} s each")
    api, taken = Api(running.url, running.token), list[float]()
    desk = Desk(page(running, browser), running.url)
    for number in range(rounds):
        session = api.session()
        component = Scripted(running.ws_url, api.token_of(session), f"meter-{number}", "risk")
        component.register().hello().subscribe().ready()
        api.post(f"sessions/{session['id']}/start")
        desk.open("/admin/").live()
        # Whoever has beaten once is missed when no beat follows.
        component.beat()
        begun_at = time.time()
        find = (
            "[...document.querySelectorAll('#ae-deck-broken .ae-deck-row')]"
            f".some((row) => row.textContent.includes('{session['name']}'))"
        )
        taken.append(_when(desk.page, find) - begun_at - LOST_SECONDS)
        api.post(f"sessions/{session['id']}/end")
        component.close()
    desk.page.context.close()
    what = f"silence is on the dashboard, beyond its {LOST_SECONDS:.0f} s (D2)"
    yield slowest(what, taken, 1)


def stopped(browser: Browser, rounds: int) -> Iterator[Verdict]:
    """What a page shows dims when its server is gone, or hangs (SH3)."""
    gone, hung = list[float](), list[float]()
    for _ in range(rounds):
        report.progress("servers that are killed")
        with _watched(browser) as (running, shown_by):
            gone.append(_until(shown_by, STALE, running.kill))
    yield slowest("values dim when the server is killed (SH3)", gone, 5)
    for _ in range(rounds):
        report.progress("servers that are stopped")
        with _watched(browser) as (running, shown_by):
            # Its page hears the end of the socket before the process is over.
            ending = threading.Thread(target=running.stop)
            hung.append(_until(shown_by, STALE, ending.start))
            ending.join()
    yield slowest("values dim when the server is stopped (SH3)", hung, 5)


STALE = "document.body.hasAttribute('data-stale')"


@contextlib.contextmanager
def _watched(browser: Browser) -> Iterator[tuple[Running, Page]]:
    """A server of its own, and a page of it that is live."""
    with start_server() as running:
        session = Api(running.url, running.token).session()
        desk = Desk(page(running, browser), running.url).session(session)
        try:
            yield running, desk.page
        finally:
            desk.page.context.close()
