"""Approvals: the count on every page, the inbox and the card, by the names of their list."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.browser.desk import DEADLINE_SECONDS, Api, Desk, Scripted, until

INBOX = "/admin/aegis_sessions/approval/"
FORM = {
    "type": "object",
    "properties": {
        "symbol": {"type": "string"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 100},
        "limit": {"type": "number"},
        "side": {"enum": ["buy", "sell"]},
        "post_only": {"type": "boolean"},
        "legs": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["symbol", "quantity"],
    "additionalProperties": False,
}
ORDER = {
    "symbol": "BTC",
    "quantity": 5,
    "limit": 100.5,
    "side": "buy",
    "post_only": True,
    "legs": [{"size": 1}],
}


class Broker(Scripted):
    """A component whose tools do nothing but note what they were called with."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token, "broker")
        self.calls: list[Any] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._serve)

    def offer(self) -> "Broker":
        place = {"name": "place_order", "risk": "medium", "parameters": FORM}
        flatten = {"name": "flatten", "risk": "high", "parameters": {"type": "object"}}
        self.control = connect(f"{self.url}/ws/control")
        self.say(
            session_token=self.token,
            name=self.name,
            role="tool",
            capabilities={"tools": [{**place, "evidence": ["book"]}, flatten]},
        )
        ack = json.loads(self.control.recv(timeout=DEADLINE_SECONDS))
        assert ack["COMMAND"] == "ACK", ack
        self.id = ack["component_id"]
        self.hello().ready()
        self.thread.start()
        return self

    def _serve(self) -> None:
        while not self.is_over.is_set():
            self.beat()
            with suppress(TimeoutError):
                frame = json.loads(self.control.recv(timeout=0.5))
                if frame.get("COMMAND") == "CALL":
                    self.calls.append(frame["arguments"])
                    self.say(COMMAND="RESULT", id=frame["id"], result={"placed": True})

    def close(self) -> None:
        self.is_over.set()
        self.thread.join()
        super().close()


class Floor:
    """A session with a broker, and an agent that asks for its tools in one answer."""

    def __init__(self, api: Api, url: str) -> None:
        self.api, self.slug = api, f"trader-{uuid4().hex[:8]}"
        agent = {"slug": self.slug, "name": "Trader", "model": "default", "tools": ["*"]}
        api.post("agents", agent)
        self.session = api.session(kind="chat", agent=self.slug, config={"approval_mode": "manual"})
        self.broker = Broker(url, api.token_of(self.session)).offer()
        path = f"components/{self.broker.id}"
        until(lambda: api.get(path)["state"] in {"ready", "running"})

    def ask(self, *calls: tuple[str, Any], then: str = "Done.") -> list[dict[str, Any]]:
        """Let the agent ask for tools; the approvals, in the order of the calls."""
        tools = [{"tool": f"component.broker.{name}", "arguments": said} for name, said in calls]
        script = [{"text": "The book stood still, so I ask.", "tools": tools}, {"text": then}]
        message = {"content": "Do it.", "parameters": {"script": script}}
        known = {one["id"] for one in self.waiting()}
        self.api.post(f"sessions/{self.session['id']}/messages", message)
        until(lambda: len(self.waiting()) == len(known) + len(calls))
        new = [one for one in self.waiting() if one["id"] not in known]
        order = [json.dumps(said, sort_keys=True) for _, said in calls]
        return sorted(new, key=lambda one: order.index(asked(one)))

    def order(self, **arguments: Any) -> dict[str, Any]:
        """The approval of one order."""
        return self.ask(("place_order", {**ORDER, **arguments}))[0]

    def waiting(self) -> list[dict[str, Any]]:
        rows = self.api.get(f"approvals?session={self.session['id']}")["data"]
        return [one for one in rows if one["state"] == "pending"]

    def decide(self, approval: dict[str, Any], *, approved: bool, **said: Any) -> None:
        self.api.post(f"approvals/{approval['id']}/decide", {"approved": approved, **said})

    def state(self, approval: dict[str, Any]) -> str:
        return str(self.api.get(f"approvals/{approval['id']}")["state"])

    def clear(self) -> None:
        for one in self.waiting():
            self.decide(one, approved=False)
        self.broker.close()


@pytest.fixture
def floor(served, api) -> Iterator[Floor]:
    floor = Floor(api, served.ws_url)
    yield floor
    floor.clear()


@pytest.fixture
def other_floor(served, api) -> Iterator[Floor]:
    """A session beside, because a run that waits lets the next one wait."""
    floor = Floor(api, served.ws_url)
    yield floor
    floor.clear()


def asked(approval: dict[str, Any]) -> str:
    return json.dumps(approval["tool_call"]["arguments"], sort_keys=True)


def card(approval: dict[str, Any]) -> str:
    return f"{INBOX}{approval['id']}/change/"


def row(desk: Desk, approval: dict[str, Any]) -> Any:
    return desk.page.locator(f"tr:has([data-row='{approval['id']}'])")


# The inbox, and the count


def test_ap1_request_appears_in_inbox_sidebar_and_title_with_no_reload(desk, floor, other_floor):
    desk.open(INBOX).live()
    expect(desk.page.get_by_text("Nothing waits for you")).to_be_visible()
    expect(desk.page.locator("#ae-waiting")).to_be_hidden()

    first = floor.order()
    expect(row(desk, first)).to_contain_text("symbol: BTC, quantity: 5")
    second = other_floor.order(quantity=7)

    expect(row(desk, second)).to_contain_text("quantity: 7")
    expect(desk.page.locator("#ae-waiting")).to_contain_text("2")
    expect(desk.page).to_have_title("(2) Approvals | Aegis")


def test_request_lowers_and_raises_the_count_of_a_page_on_which_nothing_else_moves(desk, floor):
    desk.open("/admin/aegis_sessions/agent/")
    approval = floor.order()
    expect(desk.page).to_have_title(re.compile(r"^\(1\) "))
    expect(desk.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("waiting"))

    floor.decide(approval, approved=False)

    expect(desk.page).not_to_have_title(re.compile(r"^\("))
    expect(desk.page.locator("#ae-waiting")).to_be_hidden()


def test_row_that_somebody_decides_stays_and_says_how(desk, floor):
    approval = floor.order()
    desk.open(INBOX).live()

    floor.decide(approval, approved=False)

    expect(row(desk, approval).locator(".ae-chip")).to_have_attribute("data-word", "rejected")
    expect(row(desk, approval).locator(".field-claim_cell")).to_have_text("credential:tests")


def test_inbox_whose_socket_was_cut_catches_up(desk, floor, other_floor):
    decided = floor.order()
    desk.open(INBOX).live()
    desk.page.context.set_offline(True)
    desk.page.evaluate("window.dispatchEvent(new Event('offline'))")
    floor.decide(decided, approved=False)
    new = other_floor.order(quantity=9)

    desk.page.context.set_offline(False)

    expect(row(desk, new)).to_contain_text("quantity: 9")
    expect(row(desk, decided).locator(".ae-chip")).to_have_attribute("data-word", "rejected")
    expect(desk.page).to_have_title("(1) Approvals | Aegis")
