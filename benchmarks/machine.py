"""The machine under load: cores, CPU time, memory, processes."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

TICKS = os.sysconf("SC_CLK_TCK")
END_SECONDS = 10


def cores() -> tuple[int, int]:
    """The core for the server and the one for everything else; the same when there is one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Within the block, run and start processes on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads until now; ticks are 10 ms."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid: int) -> int:
    """How much memory a process has in RAM."""
    return int(_stat(pid)[21]) * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    with open(f"/proc/{pid}/stat") as file:
        # The name is in brackets and may hold anything.
        return file.read().rpartition(") ")[2].split()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process that was started here to end, and force it when it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
