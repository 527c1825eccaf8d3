"""Child processes that are kept running for as long as this process wants them."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from django.conf import settings

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
# Who lived this long did not fail to start.
SETTLED_SECONDS = 30.0
STOP_SECONDS = 5.0
LOG_BYTES = 5_000_000


class Child:
    """One program, started again with growing pauses when it ends by itself and is wanted."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path | None,
        descriptors: Sequence[int] = (),
        is_wanted: Callable[[], bool] = lambda: True,
        on_end: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log = log
        self.descriptors = descriptors
        self.is_wanted = is_wanted
        self.on_end = on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        # The kernel ends the child when the thread that started it ends, so that one stays.
        self._thread = threading.Thread(target=self._keep, name=f"child-{name}", daemon=True)

    def start(self) -> None:
        """Begin; whoever starts a child stops it."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Start it no more, and send SIGTERM if it runs."""
        with self._lock:
            self._is_over.set()
            if self._process is not None:
                self._process.terminate()

    def ended(self, *, within_seconds: float) -> bool:
        """Wait for it to end after :meth:`ask_to_end`."""
        self._thread.join(within_seconds)
        return not self._thread.is_alive()

    def kill(self) -> None:
        """End it now."""
        self._is_over.set()
        if self._process is not None:
            self._process.kill()

    def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while (process := self._spawn()) is not None:
            started_at = time.monotonic()
            process.wait()
            self.on_end(process.pid)
            if process.stdin is not None:
                process.stdin.close()
            if not self.is_wanted():
                return
            has_settled = time.monotonic() - started_at >= SETTLED_SECONDS
            pause = FIRST_PAUSE_SECONDS if has_settled else min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._is_over.wait(pause)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._is_over.is_set():
                return None
            if self.log is None:
                self._process = self._popen(None)
            else:
                with rotated(self.log).open("ab") as output:
                    self._process = self._popen(output.fileno())
            return self._process

    def _popen(self, output: int | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- the command is ours
            [sys.executable, "-m", *self.command],
            cwd=settings.BASE_DIR,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=self.descriptors,
            # Ctrl-C is for the parent, which then ends its children in its own order.
            start_new_session=True,
        )


def stop(children: Sequence[Child], *, within_seconds: float = STOP_SECONDS) -> None:
    """End all of them: asked first, killed when they do not."""
    for child in children:
        child.ask_to_end()
    give_up_at = time.monotonic() + within_seconds
    for child in children:
        if not child.ended(within_seconds=max(0.0, give_up_at - time.monotonic())):
            child.kill()
            child.ended(within_seconds=STOP_SECONDS)


def rotated(log: Path) -> Path:
    """The log file to append to; one that has grown large becomes the older one beside it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))
    return log
