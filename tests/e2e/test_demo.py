"""The story of the demo through a real server and its programs, in each of its branches."""

import asyncio
import hashlib
import json
from collections import Counter
from urllib.parse import quote

import pytest

from sessions.core.flash_dip import market, words
from tests.e2e.remote import download, send
from tests.runs import SESSION
from tests.serving import start_server, until

pytestmark = [pytest.mark.timeout(120), pytest.mark.servers]

SPEED, SEED = 25, 11
AT = f"/api/v1/sessions/{SESSION}"


def minutes(count):
    """The klines of the first minutes, as the seed makes them."""
    told = market.Market(SEED)
    ticks = [told.tick() for _ in range(count * market.TICKS_A_SECOND)]
    return [tick.kline for tick in ticks if tick.kline is not None]


MARKET = minutes(market.GAP_AT + 5)


@pytest.fixture(scope="module")
def running():
    told = ("--speed", str(SPEED), "--seed", str(SEED))
    with start_server(*told, verb="run") as server:
        yield server


class Story:
    """One telling of the story, up to its report."""

    def __init__(self, running, *, before=None):
        self.running = running
        # The first one may have come far before anybody looks.
        self.told = before.report()["version"] if before else 0
        self.seen = {one["id"] for one in before.approvals("all")} if before else set()

    def get(self, path):
        return send(self.running, "GET", path).body

    def approvals(self, state):
        return self.get(f"{AT}/approvals?state={state}&limit=100")["data"]

    def asked(self):
        """The next approval that waits."""
        new = [one for one in self.approvals("pending") if one["id"] not in self.seen]
        self.seen |= {one["id"] for one in new}
        return new[0] if new else None

    def decide(self, **order):
        asked = until(self.asked, seconds=30)
        done = send(self.running, "POST", f"/api/v1/approvals/{asked['id']}/decide", order)
        assert done.status == 200, done.body
        return asked["tool_call"]["name"]

    def report(self):
        """Its newest version."""
        found = self.get(f"{AT}/artifacts?limit=100")["data"]
        reports = [one for one in found if one["name"] == words.REPORT]
        return max(reports, key=lambda one: one["version"], default={"version": 0})

    def end(self):
        """The text of its report."""
        until(lambda: self.report()["version"] > self.told, seconds=30)
        content = f"{AT}/artifacts/{self.report()['id']}/content"
        return asyncio.run(download(self.running, content))

    def again(self):
        """The story from its beginning, after a stop and a start."""
        for verb in ("stop", "start"):
            assert send(self.running, "POST", f"{AT}/{verb}").status < 300
        return Story(self.running, before=self)

    def klines(self):
        """Those that were recorded."""
        text = asyncio.run(download(self.running, f"{AT}/topics/{words.KLINES}/export"))
        return [json.loads(line)["data"] for line in text.splitlines()]

    def conditions(self):
        return self.get(AT)["conditions"]


def runs_of(running, session):
    """How many there are in each state."""
    found = send(running, "GET", f"/api/v1/sessions/{session}/runs?limit=100").body["data"]
    return Counter(one["state"] for one in found)


TOPICS = (
    words.KLINES,
    words.BOOK,
    words.SIGNALS,
    words.ORDERS,
    words.POSITIONS,
    words.ERRORS,
    words.RISK,
    words.ALERTS,
    words.INCIDENTS,
)
# Of the kline after which the tapes are compared: behind the alert, before anybody has to decide.
LAST_MS = MARKET[-1]["close_time"]


def records(running, topic):
    """What was said on a topic, from its beginning."""
    found, after = [], ""
    while True:
        query = f"start=earliest&limit=200{after and f'&after={after}'}"
        page = send(running, "GET", f"{AT}/topics/{topic}?{query}").body
        found += [one["data"] for one in page["data"]]
        after = quote(page["next"])
        if not page["data"] or not after:
            return found


def moment(data):
    """When of the story it is; at its beginning for what names no time."""
    return next((data[name] for name in ("close_time", "event_time", "time") if name in data), 0)


def tape(told):
    """A digest for each topic, of what was said until somebody is asked."""
    with start_server(*told, verb="run") as running:
        story = Story(running)
        asked = until(story.asked, seconds=60)
        until(lambda: moment(records(running, words.RISK)[-1]) >= LAST_MS, seconds=30)
        said = {
            topic: [one for one in records(running, topic) if moment(one) <= LAST_MS]
            for topic in TOPICS
        }
    assert asked["tool_call"]["name"] == words.FLATTEN
    return {
        topic: (len(rows), hashlib.sha256(json.dumps(rows).encode()).hexdigest())
        for topic, rows in said.items()
    }


def test_two_runs_with_one_seed_are_one_tape():
    first, second = (tape(("--speed", str(SPEED), "--seed", str(SEED))) for _ in range(2))

    assert first == second
    assert first[words.KLINES][0] == first[words.RISK][0] == len(MARKET)
    assert all(count for count, _ in first.values())


def test_story_ends_in_each_branch_as_it_is_told(running, tmp_path):
    approved = Story(running)
    edited = {"symbol": words.SYMBOL, "max_slippage_bps": 25}
    assert approved.decide(approved=True, edited_arguments=edited) == words.FLATTEN
    report = approved.end()
    assert "Outcome: approved" in report
    assert "Position now: 0.00000" in report
    assert "max_slippage_bps=25 | approved |" in report
    until(lambda: approved.conditions() == [])
    recorded = approved.klines()
    assert recorded[: len(MARKET)] == MARKET

    rejected = approved.again()
    assert rejected.decide(approved=False, reason="Too late.") == words.FLATTEN
    assert rejected.decide(approved=True) == words.HALT
    report = rejected.end()
    assert "Outcome: halted" in report
    assert "| rejected | " in report
    assert "| Too late. |" in report

    expired = rejected.again()
    report = expired.end()
    assert "Outcome: expired" in report
    assert "| expired |" in report
    assert expired.conditions() == ["degraded"]

    # All that came of it fits into one file, and is proven when it comes out.
    until(lambda: not {"queued", "working", "waiting"} & set(runs_of(running, SESSION)))
    capsule = str(tmp_path / "story.capsule")
    running.manage("aegis", "session", "export", SESSION, "-o", capsule)
    running.manage("aegis", "session", "import", capsule, "--key", "again")
    runs = {key: runs_of(running, key) for key in (SESSION, "again")}
    assert runs["again"] == runs[SESSION]
    assert runs["again"]["completed"] >= 3
