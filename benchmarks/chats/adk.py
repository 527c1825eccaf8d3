"""google-adk's api_server, on uvicorn and SQLite."""

import contextlib
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks import machine
from benchmarks.chats.base import JSON, QUESTION, Caller, Heard
from tests.waiting import block_until

AGENTS = Path(__file__).parent / "apps" / "adk"
SESSIONS = "/apps/assistant/users/somebody/sessions"
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Adk:
    """``peers`` is a folder with an environment ``adk`` in it."""

    peers: str
    name: str = "google-adk"

    @property
    def lacks(self) -> str:
        return "" if self._program.exists() else "no environment with google-adk in --peers"

    @property
    def _program(self) -> Path:
        return Path(self.peers).resolve() / "adk" / "bin" / "adk"

    @contextlib.contextmanager
    def running(self) -> Iterator["AdkChat"]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="adk-") as folder:
            store = f"sqlite+aiosqlite:///{folder}/adk.db"
            options = ["--port", str(port), "--session_service_uri", store, "--log_level", "error"]
            server_core, _ = machine.cores()
            with machine.pinned(server_core):
                process = subprocess.Popen(
                    [self._program, "api_server", *options, AGENTS],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=folder,
                )
            try:
                block_until(lambda: _listens(port), seconds=START_SECONDS)
                yield AdkChat(process.pid, Caller(port))
            finally:
                machine.end(process)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(slots=True)
class AdkChat:
    """It while it runs; a session is read with all its events there, and no run is come back to."""

    pid: int
    caller: Caller

    def create(self) -> str:
        return str(self.caller.call("POST", SESSIONS, b"{}", JSON)["id"])

    def append(self, session: str) -> None:
        self.caller.call("POST", "/run", _said(session), JSON)

    def list(self) -> int:
        return len(self.caller.call("GET", SESSIONS))

    def open(self, session: str) -> int:
        return len(self.caller.call("GET", f"{SESSIONS}/{session}")["events"])

    def history(self, session: str) -> int:
        return self.open(session)

    def stream(self, session: str) -> Heard:
        return self.caller.hear("POST", "/run_sse", _said(session, streaming=True), JSON)

    def reconnect(self, session: str, *, after: int) -> None:
        return None


def _said(session: str, **more: bool) -> bytes:
    who = {"app_name": "assistant", "user_id": "somebody", "session_id": session}
    return orjson.dumps(
        {**who, "new_message": {"role": "user", "parts": [{"text": QUESTION}]}, **more}
    )
