"""A real `aegis launcher` beside a server of the end-to-end tests, and the programs it runs."""

import contextlib
import functools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import serving
from tests.e2e import remote
from tests.e2e.places import Place
from tests.serving import ROOT, STOP_SECONDS, Running, is_running

PROGRAMS = "/api/v1/programs"
PATIENT = {"AEGIS_LAUNCHER_PATIENCE_SECONDS": "40"}

until = functools.partial(remote.until, seconds=60)


class Launching:
    """A launcher that a test may kill and start again."""

    def __init__(self, running: Running, **settings: str) -> None:
        self.environment = {**running.environment, **settings}
        self.log = running.home / "launcher.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start one more; the last one is this object's."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "aegis", "launcher", "--log", "info"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self.process

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def served(place: Place) -> Iterator[Running]:
    """A server here, after which no program is left."""
    # A program that is slow on a busy machine is not to come again in the middle of a test.
    with place.serve(AEGIS_LOST_SECONDS="15") as found:
        yield found
    # Whatever a test left running ends by itself, once it has waited for a launcher in vain.
    serving.until(lambda: not keepers(found.home), seconds=120)


@contextlib.contextmanager
def launching(running: Running, **settings: str) -> Iterator[Launching]:
    """A launcher for the block."""
    found = Launching(running, **settings)
    found.start()
    try:
        yield found
    finally:
        if found.process is not None and found.process.poll() is None:
            found.end(signal.SIGTERM)
        assert "Traceback" not in found.text(), found.text()[-4000:]


def keepers(home: Path) -> list[int]:
    """The ids of the keepers of this home that live."""
    mark = f"{home}/launches"
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if "components.launcher.keeper" in words and mark in words:
                found.append(int(path.parent.name))
    return [pid for pid in found if is_running(pid)]


def parent(pid: int) -> int:
    """The id of the process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def python(code: str) -> list[str]:
    """The command of a program that is this code."""
    return [sys.executable, "-u", "-c", code]


def example(name: str, *arguments: str) -> list[str]:
    """The command of a program in `examples`."""
    return [sys.executable, f"examples/{name}.py", *arguments]


async def define(running: Running, name: str, argv: list[str], **fields: Any) -> None:
    """Register a program that is started again soon, and give up after three restarts."""
    quick = {"backoff_seconds": 0.1, "backoff_most_seconds": 0.4, "restart_limit": 3}
    order = {"name": name, "argv": argv, "stop_grace_seconds": 5, **quick, **fields}
    answer = await remote.ask(running, "POST", PROGRAMS, order)
    assert answer.status == 201, answer


async def launch_of(running: Running, session_id: str, name: str = "prices") -> dict[str, Any]:
    """The launch of a component, empty while there is none."""
    return (await remote.components(running, session_id))[name]["launch"] or {}


async def started(
    running: Running, argv: list[str], *, required: bool = True, **fields: Any
) -> str:
    """The id of a session that starts, with a component `prices` that runs this command."""
    program = f"p{len((await remote.ask(running, 'GET', PROGRAMS)).body['data'])}"
    await define(running, program, argv, **fields)
    component = {"name": "prices", "program": program, "required": required}
    made = (await remote.make(running, components=[component]))["id"]
    await remote.ask(running, "POST", f"/api/v1/sessions/{made}/start", {})
    return str(made)


async def until_state(running: Running, session_id: str, *states: str) -> dict[str, Any]:
    """The launch, as soon as it is in one of these states."""

    async def found() -> dict[str, Any] | None:
        launch = await launch_of(running, session_id)
        return launch if launch.get("state") in states else None

    return dict(await remote.until(found, seconds=60))


async def lines(running: Running, session_id: str, topic: str = "logs.prices") -> list[Any]:
    """What was printed, as far as the log still has it."""
    path = f"/api/v1/sessions/{session_id}/topics/{topic}?start=earliest&limit=200"
    answer = await remote.ask(running, "GET", path)
    return [one["data"] for one in answer.body["data"]] if answer.status == 200 else []


async def exits(running: Running, session_id: str) -> list[tuple[Any, str]]:
    """The exit codes of the processes and what followed, from the ledger."""
    told = await remote.events(running, session_id)
    data = [one["data"] for one in told if one["type"] == "component.exited"]
    return [(one["exit_code"], one["next"]) for one in data]


def texts(lines: list[Any], stream: str = "stdout") -> list[str]:
    """The texts of the lines of a stream."""
    return [one["line"] for one in lines if one["stream"] == stream]


async def printed(running: Running, session: str) -> list[str]:
    """What a program printed, as far as the log still has it."""
    return texts(await lines(running, session))


async def stop(running: Running, session: str) -> None:
    """Stop a session and wait for its program."""
    await remote.order(running, session, "stop")
    await until_state(running, session, "stopped", "failed")


async def session_is(running: Running, session: str, state: str) -> None:
    """Wait until the session is in this state."""

    async def found() -> bool:
        return bool((await remote.session(running, session))["state"] == state)

    await until(found)
