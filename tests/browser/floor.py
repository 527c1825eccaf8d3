"""What browser tests of approvals share: a session in which an agent asks for what people decide."""

import json
import threading
from contextlib import suppress
from typing import Any
from uuid import uuid4

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

    def __init__(self, api: Api, url: str, **rule: Any) -> None:
        self.api = api
        self.slug = slug = f"trader-{uuid4().hex[:8]}"
        rules = [{"name": "everything", "verdict": "approve", **rule}]
        api.post("policies", {"slug": slug, "rules": rules, "team": "default"})
        agent = {"slug": slug, "name": "Trader", "model": "default", "tools": ["*"]}
        api.post("agents", agent)
        self.session = api.session(kind="chat", agent=slug, config={"policy": slug})
        self.broker = Broker(url, api.token_of(self.session)).offer()
        path = f"components/{self.broker.id}"
        until(lambda: api.get(path)["state"] in {"ready", "running"})

    def ask(self, *calls: tuple[str, Any], then: str = "Done.") -> list[dict[str, Any]]:
        """Let the agent ask for tools; the approvals, in the order of the calls."""
        known = {one["id"] for one in self.waiting()}
        self.say(*calls, then=then)
        until(lambda: len(self.waiting()) == len(known) + len(calls))
        new = [one for one in self.waiting() if one["id"] not in known]
        order = [json.dumps(said, sort_keys=True) for _, said in calls]
        return sorted(new, key=lambda one: order.index(asked(one)))

    def say(self, *calls: tuple[str, Any], then: str = "Done.") -> None:
        """Let the agent use tools, whether somebody is asked about that or not."""
        tools = [{"tool": f"component.broker.{name}", "arguments": said} for name, said in calls]
        script = [{"text": "The book stood still, so I ask.", "tools": tools}, {"text": then}]
        message = {"content": "Do it.", "parameters": {"script": script}}
        self.api.post(f"sessions/{self.session['id']}/messages", message)

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
            self.decide(one, approved=False, reason="The test is over.")
        self.broker.close()


def note(api: Api) -> dict[str, Any]:
    """The approval of a note that an agent wants to leave, with no component of its session."""
    slug = f"scribe-{uuid4().hex[:8]}"
    rules = [{"name": "everything", "verdict": "approve"}]
    api.post("policies", {"slug": slug, "rules": rules, "team": "default"})
    api.post("agents", {"slug": slug, "name": "Scribe", "model": "default", "tools": ["*"]})
    session = api.session(kind="chat", agent=slug, config={"policy": slug})
    tools = [{"tool": "post_note", "arguments": {"text": "Seen."}}]
    said = {"content": "Well?", "parameters": {"script": [{"tools": tools}, {"text": "Done."}]}}
    api.post(f"sessions/{session['id']}/messages", said)
    waiting = f"approvals?session={session['id']}"
    return dict(until(lambda: api.get(waiting)["data"])[0])


def asked(approval: dict[str, Any]) -> str:
    return json.dumps(approval["tool_call"]["arguments"], sort_keys=True)


def card(approval: dict[str, Any]) -> str:
    return f"{INBOX}{approval['id']}/change/"


def row(desk: Desk, approval: dict[str, Any]) -> Any:
    """The row of an approval in the inbox."""
    return desk.page.locator(f"tr:has([data-row='{approval['id']}'])")
