"""agno AgentOS, on uvicorn and SQLite."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks import processes
from benchmarks.chats.base import JSON, QUESTION, Caller, Heard, form

APP = Path(__file__).parent / "apps" / "agentos.py"
RUNS = "/agents/assistant/runs"


@dataclass(frozen=True, slots=True)
class Agno:
    """``peers`` is a folder with an environment ``agno`` in it."""

    peers: str
    name: str = "agno AgentOS"

    @property
    def lacks(self) -> str:
        if not self._python.exists():
            return "no environment with agno in --peers"
        ran = subprocess.run(
            [self._python, "-c", "import agno.os, uvicorn, sqlalchemy"],
            capture_output=True,
            check=False,
        )
        return "agno is not installed" if ran.returncode else ""

    @property
    def _python(self) -> Path:
        return Path(self.peers).resolve() / "agno" / "bin" / "python"

    @contextlib.contextmanager
    def running(self) -> Iterator["AgnoChat"]:
        with tempfile.TemporaryDirectory(prefix="agno-") as folder:
            command = [str(self._python), str(APP), f"{folder}/agno.db"]
            with processes.serving(command, AGNO_TELEMETRY="false") as running:
                yield AgnoChat(running.pid, Caller(running.port))


@dataclass(slots=True)
class AgnoChat:
    """It while it runs; a session is one blob there."""

    pid: int
    caller: Caller

    def create(self) -> str:
        body = orjson.dumps({"agent_id": "assistant"})
        return str(self.caller.call("POST", "/sessions?type=agent", body, JSON)["session_id"])

    def append(self, session: str) -> None:
        body, headers = form(message=QUESTION, stream="false", session_id=session)
        self.caller.call("POST", RUNS, body, headers)

    def list(self) -> int:
        return len(self.caller.call("GET", "/sessions?type=agent&limit=20")["data"])

    def open(self, session: str) -> int:
        found = self.caller.call("GET", f"/sessions/{session}?type=agent")
        return len(found["chat_history"])

    def history(self, session: str) -> int:
        runs = self.caller.call("GET", f"/sessions/{session}/runs?type=agent")
        return 2 * len(runs)

    def stream(self, session: str) -> Heard:
        body, headers = form(message=QUESTION, stream="true", session_id=session)
        return self.caller.hear("POST", RUNS, body, headers)

    def reconnect(self, session: str, *, after: int) -> tuple[Heard, Heard]:
        body, headers = form(message=QUESTION, stream="true", background="true", session_id=session)
        first = self.caller.hear("POST", RUNS, body, headers, at_most=after)
        run = next(found for one in first.events if (found := orjson.loads(one).get("run_id")))
        last = f"last_event_index={after - 1}&session_id={session}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return first, self.caller.hear("POST", f"{RUNS}/{run}/resume", last, headers)
