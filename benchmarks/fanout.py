"""One publisher to a hundred subscribers: Aegis against what Channels teaches, in one run."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import machine, report
from benchmarks.candidates.aegis import Aegis
from benchmarks.candidates.base import Candidate
from benchmarks.candidates.naive import Naive
from benchmarks.load import Fan, Result

SERVERS = ("uvicorn", "daphne")
SUBSCRIBERS, WINDOW = 100, 64
# Slow enough that nothing can be batched: what one delivery costs by itself.
SLOW, FAST = 10.0, 500.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often everything is measured."""

    rounds: int
    seconds: float
    warm_up_seconds: float = 0.7


FULL, QUICK = Effort(rounds=3, seconds=2.0), Effort(rounds=1, seconds=1.0)


@dataclass(slots=True)
class Row:
    """A candidate and what was measured of it: at saturation, and at the two fixed rates."""

    candidate: Candidate
    flood: list[Result] = field(default_factory=list)
    slow: list[Result] = field(default_factory=list)
    fast: list[Result] = field(default_factory=list)


def candidates(servers: Sequence[str]) -> list[Row]:
    """Every candidate on every server; what they are compared with comes first."""
    return [
        Row(candidate)
        for server in servers
        for candidate in (
            Naive(server, "redis"),
            Naive(server, "memory"),
            Aegis(server),
            Aegis(server, is_batched=False),
        )
    ]


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


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when a message was lost or out of order."""
    parser = argparse.ArgumentParser(prog="benchmarks/fanout", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--server", choices=SERVERS, action="append", help="only this one")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    rows = candidates(options.server or SERVERS)

    for number in range(effort.rounds):
        for row in rows:
            report.progress(
                f"round {number + 1} of {effort.rounds}: "
                f"{row.candidate.name} on {row.candidate.server}"
            )
            measure(row, effort)

    print(report.fanout(rows, subscribers=SUBSCRIBERS, window=WINDOW))
    is_clean = all(
        result.lost == result.disordered == 0
        for row in rows
        for result in [*row.flood, *row.slow, *row.fast]
    )
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
