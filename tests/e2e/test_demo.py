"""The story of the demo through a real server and its programs, in each of its branches."""

import asyncio
import json
from collections import Counter

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
MINUTES = {kline["open_time"] for kline in MARKET}


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
    assert MARKET[-1] in recorded
    times = [one["open_time"] for one in recorded]
    assert times == sorted(times)
    # What is only published, without waiting for where it goes, may be missing.
    assert [one for one in recorded if one["open_time"] in MINUTES and one not in MARKET] == []

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
