"""The machine under load: cores, CPU time, memory, processes."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

END_SECONDS = 10
# How Linux names the CPU clock of another process: its id, inverted, and the kind of clock.
CLOCK_OF_PROCESS = 2
# And how it writes the state of a connection that neither end has closed.
ESTABLISHED = "01"


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
    """User and system time of a process and all its threads until now, in nanosecond steps."""
    return time.clock_gettime((~pid << 3) | CLOCK_OF_PROCESS)


def resident_bytes(pid: int) -> int:
    """How much memory a process has in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def unsent_bytes(server: int, client: int) -> int | None:
    """
    What the system still holds of a server's for a client, by the ports of both on this machine.

    ``None`` when the server's end of the connection is not open any more.
    """
    ours = f":{server:04X} 0100007F:{client:04X} {ESTABLISHED} "
    _, found, rest = Path("/proc/net/tcp").read_text().partition(ours)
    return int(rest.partition(":")[0], 16) if found else None


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process that was started here to end, and force it when it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
