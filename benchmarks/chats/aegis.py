"""Aegis itself: the worker in the server process, the scripted model."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from benchmarks import machine
from benchmarks.chats.base import JSON, QUESTION, TOKENS, Caller, Heard
from tests.serving import start_server

AGENT = "words"
MODEL = "scripted:assistant"
SESSIONS = "/api/v1/sessions"


@dataclass(frozen=True, slots=True)
class Aegis:
    """`aegis serve` on SQLite, with a credential like any program's."""

    name: str = "Aegis"

    @property
    def lacks(self) -> str:
        return ""

    @contextlib.contextmanager
    def running(self) -> Iterator["AegisChat"]:
        server_core, _ = machine.cores()
        with contextlib.ExitStack() as stack:
            with machine.pinned(server_core):
                running = stack.enter_context(start_server())
            caller = Caller(
                urlsplit(running.url).port or 0, {"Authorization": f"Bearer {running.token}"}
            )
            words = [{"text": "word", "chunks": TOKENS}]
            agent = {"slug": AGENT, "name": "Words", "model": MODEL, "settings": {"script": words}}
            caller.call("POST", "/api/v1/agents", orjson.dumps(agent), JSON)
            yield AegisChat(running.process.pid, caller)


@dataclass(slots=True)
class AegisChat:
    """It while it runs."""

    pid: int
    caller: Caller

    def create(self) -> str:
        config = {"max_messages": 100_000}
        body = orjson.dumps({"agent": AGENT, "config": config})
        return str(self.caller.call("POST", SESSIONS, body, JSON)["id"])

    def append(self, session: str) -> None:
        self.caller.call("POST", f"{SESSIONS}/{session}/chat", _said(), JSON)

    def list(self) -> int:
        return len(self.caller.call("GET", f"{SESSIONS}?limit=20")["data"])

    def open(self, session: str) -> int:
        self.caller.call("GET", f"{SESSIONS}/{session}")
        return len(self.caller.call("GET", f"{SESSIONS}/{session}/messages?limit=50")["data"])

    def history(self, session: str) -> int:
        count, query = 0, "?limit=100"
        while True:
            page = self.caller.call("GET", f"{SESSIONS}/{session}/messages{query}")
            count += len(page["data"])
            if not page["has_more"]:
                return count
            query = f"?limit=100&before_id={page['next_cursor']}"

    def stream(self, session: str) -> Heard:
        return self.caller.hear("POST", f"{SESSIONS}/{session}/chat/stream", _said(), JSON)

    def reconnect(self, session: str, *, after: int) -> tuple[Heard, Heard]:
        path = f"{SESSIONS}/{session}/chat/stream"
        first = self.caller.hear("POST", path, _said(), JSON, at_most=after)
        run = next(found for one in first.events if (found := orjson.loads(one).get("run_id")))
        again = {"Last-Event-ID": first.last}
        return first, self.caller.hear("GET", f"/api/v1/runs/{run}/stream", headers=again)


def _said() -> bytes:
    return orjson.dumps({"content": QUESTION})
