"""What browser tests share: the API beside the page, a scripted component, and the page itself."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TookTooLong
from websockets.sync.client import connect

LIST = "/admin/aegis_sessions/session/"
DEADLINE_SECONDS = 20.0


class Api:
    """The canonical API as a program uses it."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 -- a server of ours
            f"{self.url}/api/v1/{path}",
            data=json.dumps(body or {}).encode() if method != "GET" else None,
            method=method,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Idempotency-Key": uuid4().hex,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 -- as above
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from None

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body)

    def session(self, key: str = "", **fields: Any) -> dict[str, Any]:
        """A new session in ``created``."""
        key = key or f"s-{uuid4().hex[:8]}"
        return dict(self.post("sessions", {"key": key, "name": key, "kind": "stream", **fields}))

    def token_of(self, session: dict[str, Any]) -> str:
        answer = self.post(f"sessions/{session['id']}/tokens")
        return str(answer.get("session_token") or answer["secret"])


class Scripted:
    """A component that says only what a test makes it say."""

    def __init__(self, url: str, token: str, name: str, *topics: str) -> None:
        self.url, self.token, self.name, self.topics = url, token, name, topics
        self.session: dict[str, Any] = {}
        self.control: Any = None
        self.data: Any = None

    def register(self) -> "Scripted":
        self.control = connect(f"{self.url}/ws/control")
        self.say(session_token=self.token, name=self.name, topics=list(self.topics))
        ack = json.loads(self.control.recv(timeout=DEADLINE_SECONDS))
        assert ack["COMMAND"] == "ACK", ack
        self.id = ack["component_id"]
        return self

    def say(self, **frame: Any) -> None:
        self.control.send(json.dumps(frame))

    def hello(self) -> "Scripted":
        self.data = connect(f"{self.url}/ws/data")
        self.data.send(json.dumps({"session_token": self.token, "component_id": self.id}))
        ack = json.loads(self.data.recv(timeout=DEADLINE_SECONDS))
        assert ack["COMMAND"] == "ACK", ack
        return self

    def subscribe(self) -> "Scripted":
        frame = {"COMMAND": "SUBSCRIBE", "id": 1, "topics": list(self.topics)}
        self.data.send(json.dumps(frame))
        return self

    def ready(self) -> "Scripted":
        self.say(COMMAND="READY")
        return self

    def beat(self) -> None:
        self.say(COMMAND="HEARTBEAT", n=1)

    def publish(self, topic: str, *messages: Any) -> None:
        self.data.send(json.dumps({"COMMAND": "PUBLISH", "topic": topic, "msgs": list(messages)}))

    def close(self) -> None:
        for socket in (self.data, self.control):
            if socket is not None:
                socket.close()


REMEMBER = """() => {
  const text = (id) => document.getElementById(id).textContent;
  window.badgeSaid = [];
  new MutationObserver(() =>
    window.badgeSaid.push(`${text("ae-live-word")}, ${text("ae-live-detail")}`)
  ).observe(document.getElementById("ae-live"), { childList: true, subtree: true });
}"""


class Desk:
    """One page of the admin; ``faults`` is what its scripts complained about."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.faults: list[str] = []
        page.set_default_timeout(DEADLINE_SECONDS * 1000)
        page.on("pageerror", lambda error: self.faults.append(error.stack or str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        # A connection that a test cuts is no fault of the page.
        is_cut = "WebSocket" in message.text or "Failed to load resource" in message.text
        if message.type == "error" and not is_cut:
            self.faults.append(message.text)

    def open(self, path: str) -> "Desk":
        self.page.goto(self.url + path)
        return self

    def session(self, session: dict[str, Any], query: str = "") -> "Desk":
        return self.open(f"{LIST}{session['id']}/change/{query}").live()

    def live(self) -> "Desk":
        """Wait until the badge says that the page is live."""
        expect(self.page.locator("#ae-live")).to_have_attribute(
            "data-state", "live", timeout=3 * DEADLINE_SECONDS * 1000
        )
        return self

    def goes(self, keys: str, path: str) -> None:
        """Type the keys of a place, and again where the second letter came too late.

        The page counts a second and a half from key to key, and a browser that has little of the
        machine takes the second one only after what it was painting.
        """

        def has_gone() -> bool:
            self.page.keyboard.type(keys)
            try:
                self.page.wait_for_url(f"**{path}", wait_until="commit", timeout=3_000)
            except TookTooLong:
                return False
            return True

        until(has_gone, seconds=3 * DEADLINE_SECONDS)
        self.page.wait_for_load_state()

    def remember_badge(self) -> None:
        """From now on keep what the badge says, however short it says it."""
        self.page.evaluate(REMEMBER)

    def expect_badge_said(self, said: str) -> None:
        """The badge has said this since, or does so now: its word and its detail."""
        self.page.wait_for_function("said => window.badgeSaid.includes(said)", arg=said)

    def events(self) -> list[str]:
        return self.page.locator(".ae-event-what").all_inner_texts()

    def enabled(self) -> list[str]:
        """The verbs of the lever that are not refused."""
        buttons = self.page.locator("#ae-lever [data-verb]:not([aria-disabled])")
        return [str(button.get_attribute("data-verb")) for button in buttons.all()]

    def row(self, session: dict[str, Any]) -> Any:
        return self.page.locator(f"tr:has([data-row='{session['id']}'])")


def until(holds: Callable[[], Any], *, seconds: float = DEADLINE_SECONDS) -> Any:
    """Ask again and again until it holds; what it said then."""
    give_up_at = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < give_up_at, "It did not come to hold in time."
    return found
