"""A subscriber that reads nothing: when it is cut off, what it costs, what the others feel."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks import load, machine
from benchmarks.candidates.aegis import Aegis, AegisLive, Component
from benchmarks.load import Fan

OTHERS, WINDOW = 20, 64
CALM_SECONDS, MOST_SECONDS, LOOK_SECONDS = 3.0, 25.0, 0.1
# So little that what the server cannot get rid of is soon its own.
RECEIVE_BYTES = 4096


@dataclass(slots=True)
class Result:
    """
    ``cut_seconds`` counts from when the system took no more for it; None when it was not cut.

    ``grown_bytes`` is by how much the server grew at most.
    """

    cut_seconds: float | None = None
    grown_bytes: int = 0
    calm: load.Result = field(default_factory=load.Result)
    beside: load.Result = field(default_factory=load.Result)


def measure(aegis: Aegis) -> Result:
    """One slow subscriber among others, from the start of a server to its end."""
    result = Result()
    _, core = machine.cores()
    with aegis.running() as live, machine.pinned(core):
        fan = Fan(live, OTHERS)
        try:
            # Long enough to fill what a topic retains, which is nobody's cost.
            result.calm = fan.saturate(seconds=CALM_SECONDS, warm_up_seconds=2.0, window=WINDOW)
            with watched(live, fan, result):
                result.beside = fan.saturate(seconds=MOST_SECONDS, warm_up_seconds=0, window=WINDOW)
        finally:
            fan.close()
    return result


@contextlib.contextmanager
def watched(live: AegisLive, fan: Fan, result: Result) -> Iterator[None]:
    """Have somebody slow there during the block, until it is cut."""
    (slow,) = live.components("sink", 1, receive_bytes=RECEIVE_BYTES)
    slow.data.client()  # from here on nobody reads it
    is_over = threading.Event()
    watcher = threading.Thread(target=watch, args=(live, slow, result, fan, is_over))
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
        slow.control.client().raw.close()
        slow.data.raw.close()


def watch(
    live: AegisLive, slow: Component, result: Result, fan: Fan, is_over: threading.Event
) -> None:
    """Look at the server's end of a socket until it is closed, and at the server's size."""
    port = slow.data.raw.getsockname()[1]
    before, most, full_at = machine.resident_bytes(live.pid), 0, time.perf_counter()
    while not is_over.wait(LOOK_SECONDS):
        unsent = machine.unsent_bytes(live.lines.port, port)
        grown = machine.resident_bytes(live.pid) - before
        result.grown_bytes = max(result.grown_bytes, grown)
        if unsent is None:
            result.cut_seconds = time.perf_counter() - full_at
            fan.is_stopped = True
            return
        if unsent > most:
            most, full_at = unsent, time.perf_counter()
        with contextlib.suppress(ConnectionError):
            # Its other socket goes on as if nothing were wrong.
            live.lines.wait(0)
