"""One publisher to a hundred subscribers: Aegis, what Channels teaches, and others, in one run."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine, report, slow, storm, verdicts
from benchmarks.candidates.aegis import Aegis
from benchmarks.candidates.base import Candidate
from benchmarks.candidates.naive import Naive
from benchmarks.candidates.nats import Nats
from benchmarks.candidates.socket_io import SocketIO
from benchmarks.load import Fan, Result
from benchmarks.verdicts import Measured

SERVERS = ("uvicorn", "daphne")
SUBSCRIBERS, WINDOW = 100, 64
# Slow enough that nothing can be batched: what one delivery costs by itself.
SLOW, FAST = 10.0, 500.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often everything is measured, within ``budget_seconds`` for the rounds."""

    rounds: int
    seconds: float
    components: int
    budget_seconds: float = 320.0
    warm_up_seconds: float = 0.7


FULL = Effort(rounds=3, seconds=2.0, components=1000)
QUICK = Effort(rounds=1, seconds=1.0, components=100)


@dataclass(slots=True)
class Row:
    """A candidate and what was measured of it: at saturation, and at the two fixed rates."""

    candidate: Candidate
    flood: list[Result] = field(default_factory=list)
    slow: list[Result] = field(default_factory=list)
    fast: list[Result] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Whether it is Aegis; only of that loss is a fault."""
        return isinstance(self.candidate, Aegis)

    def results(self) -> list[Result]:
        """Everything that was measured of it."""
        return [*self.flood, *self.slow, *self.fast]


def candidates(servers: Sequence[str], *, peers: str, is_all: bool) -> list[Row]:
    """Every candidate on every server; what they are compared with comes first."""
    found: list[Candidate] = []
    for server in servers:
        found += [Naive(server, "redis"), Naive(server, "memory")]
        found += [Aegis(server), Aegis(server, is_batched=False)]
        if is_all:
            found += [Naive(server, "tuned"), Aegis(server, is_in_valkey=True)]
    if is_all:
        found += [Nats(), SocketIO("node", peers), SocketIO("python", peers)]
    return [Row(candidate) for candidate in found]


def measure(row: Row, effort: Effort) -> None:
    """One round of one candidate, from the start of its server to its end."""
    _, core = machine.cores()
    with row.candidate.running() as live, machine.pinned(core):
        fan = Fan(live, SUBSCRIBERS)
        try:
            times = {"seconds": effort.seconds, "warm_up_seconds": effort.warm_up_seconds}
            row.slow.append(fan.pace(rate=SLOW, **times))
            if row.candidate.keeps_up:
                row.fast.append(fan.pace(rate=FAST, **times))
            row.flood.append(fan.saturate(window=WINDOW, **times))
        finally:
            fan.close()


def measure_rounds(rows: Sequence[Row], effort: Effort) -> None:
    """All candidates one after the other, again while another round fits in the time there is."""
    began = time.monotonic()
    for number in range(effort.rounds):
        spent = time.monotonic() - began
        if spent + spent / max(number, 1) > effort.budget_seconds:
            report.progress(f"no time for round {number + 1}")
            return
        for row in rows:
            what = f"{row.candidate.name} on {row.candidate.server}"
            report.progress(f"round {number + 1} of {effort.rounds}: {what}")
            measure(row, effort)


def measure_all(rows: Sequence[Row], effort: Effort, servers: Sequence[str]) -> Measured:
    """The fan-out, the storm and the slow consumer."""
    lacking = {row.candidate.name: row.candidate.lacks for row in rows}
    run = Measured([row for row in rows if not row.candidate.lacks], None, {}, {})
    there = {row.candidate.name for row in run.rows}
    run.missing = {name: why for name, why in lacking.items() if why and name not in there}
    for name, why in run.missing.items():
        report.progress(f"{name} does not run: {why}")
    report.progress(f"{effort.components:,} components come, are cut off and come back")
    run.storm = storm.measure(Aegis(servers[0]), effort.components)
    for server in servers:
        report.progress(f"a subscriber on {server} reads nothing")
        run.slow[server] = slow.measure(Aegis(server))
    measure_rounds(run.rows, effort)
    return run


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when a message of Aegis was lost or out of order."""
    options = options_of(arguments)
    effort = QUICK if options.quick else FULL
    servers = options.server or SERVERS
    rows = candidates(servers, peers=options.peers, is_all=options.all)
    if options.all:
        run = measure_all(rows, effort, servers)
    else:
        run = Measured(rows, None, {}, {})
        measure_rounds(rows, effort)

    print(report.fanout(run.rows, subscribers=SUBSCRIBERS, window=WINDOW))
    found = verdicts.verdicts(run)
    if options.all:
        print(report.beside(run))
        print(verdicts.shown(found))
    if options.json:
        Path(options.json).write_bytes(report.as_json(run, found))
    return 0 if found[-1].word == "aim" else 1


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """What somebody asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks/fanout", description=__doc__)
    parser.add_argument("--all", action="store_true", help="the whole table of specification 3.7")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--server", choices=SERVERS, action="append", help="only this one")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    parser.add_argument(
        "--peers",
        metavar="FOLDER",
        default="",
        help="where python-socketio and node_modules with socket.io are, if not installed",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
