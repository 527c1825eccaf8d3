"""Real `aegis worker` processes beside a server of the end-to-end tests."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.serving import ROOT, STOP_SECONDS, Running, is_running


class Working:
    """One worker, which a test may kill."""

    def __init__(self, running: Running, name: str) -> None:
        self.log: Path = running.home / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "aegis", "worker", "--log", "info"],
                cwd=ROOT,
                env=running.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def working(running: Running, *names: str) -> Iterator[list[Working]]:
    """Workers of these names for the block."""
    found = [Working(running, name) for name in names]
    try:
        yield found
    finally:
        for one in found:
            if is_running(one.pid):
                one.end(signal.SIGTERM)
            assert "Traceback" not in one.text(), one.text()[-4000:]
