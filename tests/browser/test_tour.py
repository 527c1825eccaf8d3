"""
DM5: the ten minutes of docs/demo.md, walked in a browser beside the demo itself.

With TESTS_PICTURES=docs/images it takes the pictures of the README on its way, at the pace of the
story; without, it is told fast and takes none.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from sessions.core.flash_dip import words
from tests.browser.desk import LIST, Api, Desk, Scripted, until
from tests.browser.floor import INBOX
from tests.runs import SESSION, demo
from tests.serving import Running, start_server

pytestmark = pytest.mark.timeout(400)

PICTURES = os.environ.get("TESTS_PICTURES", "")
SPEED, SEED = ("2" if PICTURES else "4"), "11"
# The story is told by then even on a busy machine.
PATIENCE_MS = 120_000
REPORT_BY_SECONDS = 120


@pytest.fixture
def told() -> Iterator[Running]:
    with start_server("--speed", SPEED, "--seed", SEED, verb="run") as running:
        yield running


@pytest.fixture
def walker(told: Running, browser: Browser) -> Iterator["Walker"]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    walker = Walker(context.new_page(), told.url)
    yield walker
    context.close()
    assert walker.faults == []


class Walker(Desk):
    """Somebody who has read nothing but the tour; ``hosts`` is who was asked for anything."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page, url)
        self.hosts: set[str | None] = set()
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))

    def sign_in(self, user: str, password: str) -> None:
        self.open("/")
        self.page.fill("#id_username", user)
        self.page.fill("#id_password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url("**/admin/")

    def picture(self, name: str) -> None:
        """What is on the screen, where somebody asked for pictures."""
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


def test_dm5_ten_minutes_lead_from_the_command_to_the_report(told: Running, walker: Walker):
    api = Api(told.url, told.token)
    session = demo(told)["id"]
    at = f"{LIST}{session}/change/"

    walker.sign_in(told.user, told.password)
    expect(walker.page.locator("main")).to_contain_text("btc-flash-dip")
    expect(walker.page.locator(".ae-demo")).to_contain_text("nothing leaves this machine")
    walker.open(at).live()
    expect(walker.page.locator("#ae-title .ae-chip").first).to_have_attribute(
        "data-word", re.compile("running|degraded")
    )
    walker.open(f"{at}?tab=participants").live()
    expect(walker.page.locator("main")).to_contain_text("ma-cross")

    walker.open("/admin/").live()
    expect(walker.page).to_have_title(re.compile(r"^\(1\) "), timeout=PATIENCE_MS)
    expect(walker.page.locator("main")).to_contain_text("flatten_position")
    walker.picture("dashboard")
    decide(walker)

    walker.open(f"{at}?tab=conversation").live()
    expect(walker.page.locator("main")).to_contain_text("ResolutionAgent")
    walker.picture("conversation")
    at_the_tick(walker)
    report = until(lambda: reports(api), seconds=REPORT_BY_SECONDS)
    assert report["version"] == 1

    hold_and_go_on(walker, at)
    walker.picture("session")
    walker.open(
        f"/admin/aegis_streaming/log/?session={session}&tail={session}:{words.KLINES}"
    ).live()
    expect(walker.page.locator("main")).to_contain_text(words.KLINES)
    walker.picture("topics")

    fork(walker, at)
    other_words(told, api)
    own_component(walker, told, api, session)
    walker.open("/admin/aegis_streaming/auditentry/")
    expect(walker.page.locator("main")).to_contain_text("approval")
    walker.open("/admin/health/")
    expect(walker.page.locator("main")).to_contain_text("database", ignore_case=True)
    assert walker.hosts == {"127.0.0.1"}


def decide(walker: Walker) -> None:
    """Look at the call that waits, make 40 basis points 25, and approve."""
    walker.open(INBOX).live()
    walker.page.get_by_role("link", name=re.compile("flatten_position")).first.click()
    walker.live()
    walker.picture("approval")
    walker.page.keyboard.press("e")
    walker.page.get_by_label("max_slippage_bps", exact=True).fill("25")
    walker.page.locator("#ae-approve").click()
    # What is of high risk is written out by whoever lets it.
    asking = walker.page.get_by_role("dialog", name=f"Approve {words.FLATTEN}?")
    asking.get_by_label(f"Write {words.FLATTEN} to approve").fill(words.FLATTEN)
    asking.get_by_role("button", name="Approve").click()
    expect(walker.page.locator("#ae-decided")).to_contain_text("Approved by you")


def at_the_tick(walker: Walker) -> None:
    """A price in what an agent said leads to the instant at which it was read."""
    explained = walker.page.locator(".ae-message-text", has_text="closed at")
    price = explained.locator(".ae-cited", has_text=re.compile(r"^\d+\.\d\d$")).first
    said = price.inner_text()
    price.click()
    walker.page.wait_for_url("**/review/?t=*")
    expect(walker.page.locator("#ae-instant")).to_contain_text(said)


def reports(api: Api) -> dict[str, object] | None:
    """The report of the incident, once it is written."""
    found = api.get(f"sessions/{SESSION}/artifacts?limit=100")["data"]
    return next((dict(one) for one in found if one["name"] == words.REPORT), None)


def hold_and_go_on(walker: Walker, at: str) -> None:
    """Pause everything at one position, then let it go on there."""
    walker.open(at).live()
    chip = walker.page.locator("#ae-title .ae-chip").first
    for verb, word in (("pause", "paused"), ("start", "running")):
        walker.page.locator(f"#ae-lever [data-verb={verb}]").click()
        expect(chip).to_have_attribute("data-word", word)


def fork(walker: Walker, at: str) -> None:
    """Go from the checkpoint before the incident into another session, with recorded effects."""
    walker.open(f"{at}?tab=checkpoints").live()
    walker.page.get_by_role("link", name="before incident").first.click()
    walker.page.locator("#ae-fork-effects [value=recorded]").check()
    walker.page.get_by_role("button", name="Fork from here").click()
    expect(walker.page.locator(".ae-event-what").first).to_have_text("Forked")
    expect(walker.page.locator(".ae-ribbon")).to_contain_text("Fork, effects recorded.")
    walker.page.get_by_role("link", name="Compare with the original").click()
    expect(walker.page.locator("#ae-first")).to_contain_text("FIRST DIFFERENCE")


def other_words(told: Running, api: Api) -> None:
    """The same sessions at the command line, and as clients of other interfaces have them."""
    decided = told.manage("aegis", "approval", "list", "--state", "approved", "--json")
    as_004 = told.manage("aegis", "session", "show", SESSION, "--dialect", "004")
    as_001 = api.get(f"agent-sessions/{SESSION}")
    beside = {one["kind"] for one in api.get("sessions?tag=demo")["data"]}

    assert words.FLATTEN in decided
    assert '"status":"active"' in as_004
    assert as_001["state"] == "running"
    # Two quiet ones go on, which know only the interfaces of 001 and 002.
    assert beside == {"stream", "metrics", "chat"}


def own_component(walker: Walker, told: Running, api: Api, session: str) -> None:
    """Connect a program with the token that the page makes, and see what it says."""
    walker.open(f"{LIST}{session}/change/?tab=participants").live()
    walker.page.locator("#ae-token").click()
    made = walker.page.locator("#ae-made-shell").inner_text()
    (token,) = re.findall(r"AEGIS_SESSION_TOKEN=(\S+)", made)
    mine = Scripted(told.ws_url, token, "mine").register().hello().ready()
    expect(walker.page.locator("#ae-panel")).to_contain_text("mine")
    until(lambda: state_of(api, "mine") == "running")
    mine.publish("mine.ticks", {"word": "quagga"})

    walker.open(f"/admin/aegis_streaming/log/{session}/mine.ticks/").live()
    expect(walker.page.locator(".ae-record-data").first).to_contain_text("quagga")
    mine.close()


def state_of(api: Api, name: str) -> str:
    found = api.get(f"sessions/{SESSION}/components")["data"]
    return next(str(one["state"]) for one in found if one["name"] == name)
