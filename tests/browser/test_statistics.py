"""The page Statistics beside the interface and `/metrics`."""

import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser
from prometheus_client.parser import text_string_to_metric_families

from tests.browser.conftest import PERIODS
from tests.browser.desk import Api, Desk, until
from tests.browser.floor import Floor
from tests.serving import Running, start_server

PAGE = "/admin/aegis_sessions/session/statistics/"
# What the page shows of a span, and where the interface has it.
TOTALS = {
    "Runs": ("runs", "total"),
    "Tokens of models": ("runs", "tokens"),
    "US dollars": ("runs", "cost"),
    "Tool calls": ("tool_calls", "total"),
    "Approvals asked for": ("approvals", "total"),
    "Messages": ("messages", "total"),
    "Sessions made": ("sessions", "created"),
}


@pytest.fixture(scope="module")
def fixed() -> Iterator[Running]:
    """A server on which only this happened: six sessions, three runs, three decisions."""
    with start_server(**PERIODS) as running:
        api = Api(running.url, running.token)
        verbs = [[], ["start"], ["start", "pause"], ["start", "complete"], ["end"]]
        for word in verbs:
            session = api.session()
            for verb in word:
                api.post(f"sessions/{session['id']}/{verb}")
        floor = Floor(api, running.ws_url)
        for quantity, approved in ((5, True), (6, False)):
            floor.decide(floor.order(quantity=quantity), approved=approved, reason="As I like.")
            until(lambda: {"completed"} == set(states(api)))
        floor.order(quantity=7)
        yield running
        floor.clear()


def states(api: Api) -> list[str]:
    return [str(one["state"]) for one in api.get("runs")["data"]]


def test_st1_page_interface_and_metrics_say_the_same(fixed: Running, browser: Browser):
    api = Api(fixed.url, fixed.token)
    numbers = api.get("statistics?fresh=true")
    told = metrics(fixed)
    page = signed_in(fixed, browser)
    desk = Desk(page, fixed.url).open(f"{PAGE}?fresh=1")

    panels = {
        name: dict(page.locator(f"section[aria-labelledby={name}] tbody tr").evaluate_all(ROWS))
        for name in ("ae-totals", "ae-states", "ae-tools", "ae-agents")
    }
    decided = page.locator("section[aria-labelledby=ae-decisions] dl").inner_text().split("\n")
    page.context.close()

    sessions, runs = numbers["sessions"], numbers["runs"]
    kinds = {f"kind {kind}": str(count) for kind, count in sessions["by_kind"].items()}
    # A page says no more digits than there are.
    totals = {title: Decimal(shown) for title, shown in panels["ae-totals"].items()}
    assert totals == {title: Decimal(numbers[part][name]) for title, (part, name) in TOTALS.items()}
    assert panels["ae-states"] == {
        **{state: str(count) for state, count in sessions["by_state"].items()},
        **kinds,
    }
    calls = {one["tool"]: str(one["calls"]) for one in numbers["tool_calls"]["tools"]}
    assert panels["ae-tools"] == calls
    assert panels["ae-agents"] == {one["agent"]: str(one["runs"]) for one in numbers["agents"]}
    approvals = numbers["approvals"]["by_state"]
    assert approvals == {"approved": 1, "pending": 1, "rejected": 1}
    shown = dict(zip(decided[::2], decided[1::2], strict=True))
    assert {word: shown[word.capitalize()] for word in approvals} == {
        word: str(count) for word, count in approvals.items()
    }

    is_open = {"created", "running", "paused", "stopped", "failed"}
    assert told["session_created_total"][""] == sessions["created"] == 6
    assert nonzero(told["aegis_sessions_open"]) == only(sessions["by_state"], is_open)
    assert told["active_sessions_count"][""] == sessions["by_state"]["running"]
    assert told["message_count_total"] == numbers["messages"]["by_role"]
    over = {"completed", "failed", "cancelled"}
    assert nonzero(told["aegis_runs_total"]) == only(runs["by_state"], over)
    waits = {state: count for state, count in runs["by_state"].items() if state not in over}
    assert nonzero(told["aegis_runs_open"]) == waits
    assert sum(told["aegis_llm_tokens_total"].values()) == runs["tokens"]
    assert told["aegis_approvals_total"] == only(approvals, {"approved", "rejected"})
    assert told["pending_approvals_count"][""] == approvals["pending"]
    # Only what was carried out is counted there, not what people refused.
    done = {"completed", "failed"}
    assert told["tool_call_count_total"] == only(numbers["tool_calls"]["by_state"], done)
    assert desk.faults == []


ROWS = """rows => rows.map(row => [...row.cells].slice(0, 2).map(cell => cell.innerText.trim()))"""


def metrics(running: Running) -> dict[str, Counter[str]]:
    """What `/metrics` says, by name and by its first label but for the tool."""
    with urllib.request.urlopen(f"{running.url}/metrics", timeout=20) as answer:  # noqa: S310 -- ours
        text = answer.read().decode()
    found: dict[str, Counter[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {name: word for name, word in sample.labels.items() if name != "tool"}
            word = next(iter(labels.values()), "")
            found.setdefault(sample.name, Counter())[word] += int(sample.value)
    return found


def nonzero(counts: Counter[str]) -> dict[str, int]:
    return {word: count for word, count in counts.items() if count}


def only(counts: dict[str, int], words: set[str]) -> dict[str, int]:
    return {word: count for word, count in counts.items() if word in words}


def signed_in(running: Running, browser: Browser) -> Any:
    page = browser.new_context().new_page()
    page.goto(f"{running.url}/admin/login/?next=/admin/")
    page.fill("#id_username", running.user)
    page.fill("#id_password", running.password)
    page.click("button[type=submit]")
    page.wait_for_url(re.compile("/admin/$"))
    return page
