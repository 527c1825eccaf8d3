"""A real `aegis serve` in a process of its own, on a free port, over a home of its own."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.services import UNBOUNDED

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
# A first start makes all tables, on a machine that may have much else to do.
START_SECONDS, STOP_SECONDS = 150, 32
PASSWORD = "correct horse battery"

# Runs once for all tests: the tables, somebody to sign in as, a credential that may do everything.
PREPARE = f"""
from django.contrib.auth.models import Group, User
from django.core.management import call_command
call_command("migrate", verbosity=0, interactive=False)
from aegis_project.kit import principal
from components.core.scopes import SCOPES
from components.services import credentials
team = Group.objects.get(name="default")
admin = User.objects.create_superuser("admin", "", {PASSWORD!r})
admin.groups.add(team)
issued = credentials.issue(
    principal=principal.system("tests"), name="tests", scopes=sorted(SCOPES), team_id=team.pk
)
print(issued.secret)
"""


@dataclass
class Running:
    """A server that answers; ``token`` is a bearer secret with every scope in team default."""

    url: str
    token: str
    home: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    user: str = "admin"
    password: str = PASSWORD

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def log(self) -> str:
        """What the server printed until now."""
        return (self.home / "serve.log").read_text(errors="replace")

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        return self.end(signal.SIGTERM)

    def kill(self) -> int:
        """End it with SIGKILL; its exit code."""
        return self.end(signal.SIGKILL)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; a server that does not end is killed and that is an error."""
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"The server did not end: {self.log()[-2000:]}") from None

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` beside the server, on the same home; what it prints."""
        return manage(self.environment, *arguments)


@contextlib.contextmanager
def start_server(
    *arguments: str, home: Path | None = None, verb: str = "serve", **settings: str
) -> Iterator[Running]:
    """
    Start `aegis serve` (or another verb that serves) and end it with the block.

    ``arguments`` are its options, ``settings`` its environment: ``AEGIS_HEARTBEAT_SECONDS="0.2"``.
    A ``home`` that exists is gone on with, else there is a fresh one with all tables, the user
    ``admin`` and a credential that may do everything in team default.
    """
    with contextlib.ExitStack() as stack:
        if home is None:
            folder = tempfile.TemporaryDirectory(prefix="aegis-served-", ignore_cleanup_errors=True)
            home = Path(stack.enter_context(folder)) / "home"
        if not home.exists():
            shutil.copytree(prepared(), home)
        environment = {**clean(), **UNBOUNDED, "AEGIS_HOME": str(home), **settings}
        running = launch(["aegis", verb, "--port", "0", *arguments], home, environment)
        try:
            yield running
        finally:
            if running.process.poll() is None:
                running.stop()


def launch(command: list[str], home: Path, environment: dict[str, str]) -> Running:
    """Start `manage.py` with this command and wait until its address file says where it is."""
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    token = (home / "token").read_text() if (home / "token").exists() else ""
    running = Running("", token, home, process, environment)
    running.url = wait_for_address(running)
    return running


def wait_for_address(running: Running) -> str:
    """The URL of a server that was just started."""
    give_up_at = time.monotonic() + START_SECONDS
    while (address := read_address(running.home)).get("pid") != running.process.pid:
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(0.02)
        if running.process.returncode is not None or time.monotonic() > give_up_at:
            running.process.kill()
            running.process.wait()
            raise AssertionError(f"The server did not start: {running.log()[-4000:]}")
    return str(address["url"])


def until(condition: Callable[[], T], *, seconds: float = 20) -> T:
    """What the condition gives, as soon as that is true; it has this many seconds."""
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at, f"Not within {seconds} s: {condition}"
        threading.Event().wait(0.02)
    return found


def is_running(pid: int) -> bool:
    """Whether a process, not necessarily ours, is there and has not ended."""
    try:
        os.kill(pid, 0)
        # Where nobody collects orphans, they stay as zombies.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except (ProcessLookupError, FileNotFoundError):
        return False


def read_address(home: Path) -> dict[str, Any]:
    """What the address file of a home says; empty while there is none."""
    try:
        return dict(json.loads((home / "server.json").read_text()))
    except FileNotFoundError:
        return {}


def prepared() -> Path:
    """A home with everything a server needs, made once for all test processes of one checkout."""
    base = Path(os.environ.get("TESTS_HOME") or tempfile.gettempdir()) / f"prepared-{_tables()}"
    base.mkdir(parents=True, exist_ok=True)
    home = base / "home"
    with (base / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "token").exists():
            shutil.rmtree(home, ignore_errors=True)
            secret = manage({**clean(), "AEGIS_HOME": str(home)}, "shell", "-v", "0", "-c", PREPARE)
            (home / "token").write_text(secret.split()[-1])
    return home


def _tables() -> str:
    """A word for the tables as the migrations of this checkout make them."""
    files = sorted(ROOT.glob("*/migrations/[0-9]*.py"))
    texts = [f"{file.relative_to(ROOT)}".encode() + file.read_bytes() for file in files]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run `manage.py` to its end; what it prints."""
    command = [sys.executable, "manage.py", *arguments]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def clean() -> dict[str, str]:
    """Our own environment without any setting of Aegis."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AEGIS_")}
