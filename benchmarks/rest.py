"""
The interface over HTTP, beside a default Django REST framework and FastAPI with SQLAlchemy.

All three run over the same tables of one PostgreSQL, each as one process of uvicorn on one core; one
client on another asks for one thing at a time. Each looks a bearer token up, reads and shows every
column, and writes four rows for a new session in one transaction. They take turns.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from benchmarks import machine, report
from benchmarks.interfaces.base import Interface, Live, store
from benchmarks.interfaces.kinds import Aegis, Default, FastApi

# What the specification asks for: so many times a default REST framework, and ahead of FastAPI.
BARS = {
    ("list", "DRF ModelViewSet"): 2.5,
    ("get", "DRF ModelViewSet"): 2.5,
    ("create", "DRF ModelViewSet"): 1.0,
    ("list", "FastAPI + SQLAlchemy"): 1.0,
    ("get", "FastAPI + SQLAlchemy"): 1.0,
    ("create", "FastAPI + SQLAlchemy"): 1.0,
}
WARM = 20


@dataclass(frozen=True, slots=True)
class Effort:
    """How many sessions there are, how many turns each has, and how often it does each thing then."""

    sessions: int
    turns: int
    times: int


FULL = Effort(sessions=1_000, turns=7, times=60)
QUICK = Effort(sessions=60, turns=3, times=30)


@dataclass(slots=True)
class Took:
    """What one thing took at one interface: seconds each, and CPU seconds each by turn."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def middle_ms(self) -> float:
        return statistics.median(self.seconds) * 1000

    @property
    def slow_ms(self) -> float:
        """The 95th percentile."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)] * 1000

    @property
    def cpu_ms(self) -> float:
        """Of the middle turn."""
        return statistics.median(self.cpu) * 1000


Measured = dict[tuple[str, str], Took]
"""By operation and the name of the interface."""


def measure(interfaces: Sequence[Interface], effort: Effort) -> Measured:
    """Start all of them over one PostgreSQL, and let them take turns."""
    _, core = machine.cores()
    found: Measured = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aegis-rest-")))
        over = stack.enter_context(store(folder))
        live: dict[str, Live] = {}
        ids: list[str] = []
        stack.enter_context(machine.pinned(core))
        for one in interfaces:
            report.progress(f"{one.name}: starts")
            live[one.name] = stack.enter_context(one.running(over))
            if not ids:
                ids = [live[one.name].create() for _ in range(effort.sessions)]
        for turn in range(effort.turns + 1):
            report.progress(f"turn {turn} of {effort.turns}")
            for name, served in live.items():
                _turn(found if turn else {}, name, served, ids, effort.times if turn else WARM)
    return found


def _turn(found: Measured, name: str, live: Live, ids: Sequence[str], times: int) -> None:
    acts: Mapping[str, Callable[[int], object]] = {
        "list": lambda _: live.list(),
        "get": lambda n: live.read(ids[n % len(ids)]),
        "create": lambda _: live.create(),
    }
    for what, act in acts.items():
        took = found.setdefault((what, name), Took())
        before = machine.cpu_seconds(live.pid)
        for n in range(times):
            began = time.perf_counter()
            act(n)
            took.seconds.append(time.perf_counter() - began)
        took.cpu.append((machine.cpu_seconds(live.pid) - before) / times)


def shown(found: Measured, names: Sequence[str]) -> str:
    """The tables: times, CPU, and the ratios beside what is aimed at."""
    operations = list(dict.fromkeys(what for what, _ in found))
    ours, *others = names
    parts = [report.header(), report.quietness()]
    head = ["operation", *(f"{name} p50/p95 ms" for name in names)]
    lines = [[what, *(_times(found[what, name]) for name in names)] for what in operations]
    parts.append(report.table(head, lines))
    parts.append("CPU of the server, ms for each")
    lines = [[what, *(f"{found[what, name].cpu_ms:.2f}" for name in names)] for what in operations]
    parts.append(report.table(["operation", *names], lines))
    parts.append("How many times Aegis is ahead")
    head = ["operation", "of", "by time", "by CPU", "to be", "by CPU it is"]
    rows = [_verdict(found, what, ours, other) for what in operations for other in others]
    parts.append(report.table(head, rows))
    return "\n\n".join(parts)


def _verdict(found: Measured, what: str, ours: str, other: str) -> list[str]:
    mine, theirs = found[what, ours], found[what, other]
    cpu, bar = theirs.cpu_ms / mine.cpu_ms, BARS[what, other]
    ratio = theirs.middle_ms / mine.middle_ms
    verdict = "reached" if cpu >= bar else "BEHIND"
    return [what, other, f"{ratio:.2f}x", f"{cpu:.2f}x", f"{bar:.1f}x", verdict]


def _times(took: Took) -> str:
    return f"{took.middle_ms:.2f} / {took.slow_ms:.2f}"


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    options = options_of(arguments)
    every: list[Interface] = [Aegis(), Default(), FastApi(options.peers)]
    there = [one for one in every if not one.lacks]
    found = measure(there, QUICK if options.quick else FULL)
    print(shown(found, [one.name for one in there]))
    for one in every:
        if one.lacks:
            print(f"\n{one.name} did not run: {one.lacks}")
    if options.json:
        rows = [
            {"server": name, "operation": what, "p50_ms": took.middle_ms}
            | {"p95_ms": took.slow_ms, "cpu_ms": took.cpu_ms}
            for (what, name), took in found.items()
        ]
        Path(options.json).write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    return 0


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """What somebody asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks/rest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few sessions, few turns")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    parser.add_argument(
        "--peers", metavar="FOLDER", default="", help="where the environment `fastapi` is"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
