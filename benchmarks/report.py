"""What was measured, as tables for people."""

import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.load import Result

if TYPE_CHECKING:
    from benchmarks.fanout import Row

LIBRARIES = ("channels", "channels-redis", "daphne", "uvicorn", "uvloop", "websockets", "twisted")
FLOOD = (
    "server",
    "candidate",
    "del/s",
    "x redis",
    "batch",
    "busy",
    "CPU s/100k",
    "p50 ms",
    "p99 ms",
)
PACED = ("server", "candidate", "msg/s", "del/s", "batch", "busy", "CPU s/100k", "p50 ms", "p99 ms")
# The benchmark itself keeps about this many processes running.
QUIET_LOAD = 2.0
FAULTS = ("lost", "disorder")


def fanout(rows: Sequence["Row"], *, subscribers: int, window: int) -> str:
    """The tables of the fan-out."""
    parts = [
        header(),
        quietness(),
        f"1 to {subscribers}, {window} messages of 180 bytes on their way at any time "
        f"(medians of {len(rows[0].flood)})",
        table((*FLOOD, "KiB/conn", *FAULTS), [_flood(row, rows) for row in rows]),
        "The same at a fixed rate, without the gift of bursts",
        table((*PACED, *FAULTS), [line for row in rows for line in _paced(row, subscribers)]),
        "\n".join(_ratios(rows)),
    ]
    return "\n\n".join(parts)


def header() -> str:
    """The machine and the versions, without which a figure says nothing."""
    server, other = machine.cores()
    used = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    where = f"core {server} for the server, core {other} for the rest"
    if server == other:
        where = "ONE core for server and load: the figures are no server's own"
    return f"Python {platform.python_version()}, {used}\n{where}; compare ratios, not rates"


def quietness() -> str:
    """How busy the machine was with other things, without which a rate says little."""
    load = os.getloadavg()[2]
    told = f"load average {load:.1f} over 15 minutes"
    return (
        told if load < QUIET_LOAD else f"{told}: NOT A QUIET MACHINE, trust CPU per delivery only"
    )


def table(names: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be, in Markdown."""
    rows = [names, ["-" * len(name) for name in names], *lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def progress(sentence: str) -> None:
    """Say what is being measured; standard output is for the tables."""
    print(sentence, file=sys.stderr, flush=True)


def middle(results: Sequence[Result], what: Callable[[Result], float]) -> float:
    """The median over the rounds."""
    return statistics.median(map(what, results))


def _flood(row: "Row", rows: Sequence["Row"]) -> list[str]:
    rate = middle(row.flood, lambda result: result.rate)
    return [
        row.candidate.server,
        row.candidate.name,
        f"{rate:,.0f}",
        f"{rate / middle(_naive(row, rows).flood, lambda result: result.rate):.1f}",
        *_costs(row.flood),
        f"{middle(row.flood, lambda result: result.bytes_each) / 1024:.0f}",
        *_faults(row.flood),
    ]


def _paced(row: "Row", subscribers: int) -> list[list[str]]:
    return [
        [
            row.candidate.server,
            row.candidate.name,
            f"{middle(results, lambda result: result.rate) / subscribers:,.0f}",
            f"{middle(results, lambda result: result.rate):,.0f}",
            *_costs(results),
            *_faults(results),
        ]
        for results in (row.slow, row.fast)
        if results
    ]


def _costs(results: Sequence[Result]) -> list[str]:
    return [
        f"{middle(results, lambda result: result.batch):.1f}",
        f"{middle(results, lambda result: result.busy):.2f}",
        f"{middle(results, lambda result: result.cpu_per_100k):.3g}",
        f"{middle(results, lambda result: result.wait_ms(0.5)):.2f}",
        f"{middle(results, lambda result: result.wait_ms(0.99)):.2f}",
    ]


def _faults(results: Sequence[Result]) -> list[str]:
    return [
        str(sum(result.lost for result in results)),
        str(sum(result.disordered for result in results)),
    ]


def _ratios(rows: Sequence["Row"]) -> list[str]:
    """How often the first candidate's rate, and which part of its CPU time per delivery."""
    lines = []
    for row in rows:
        naive = _naive(row, rows)
        if row is not naive:
            faster = middle(row.flood, _rate) / middle(naive.flood, _rate)
            full = middle(naive.flood, _cost) / middle(row.flood, _cost)
            slow = middle(naive.slow, _cost) / middle(row.slow, _cost)
            lines.append(
                f"{row.candidate.server}: {row.candidate.name} delivers {faster:.0f} times what "
                f"{naive.candidate.name} does, for 1/{full:.1f} of the CPU time per delivery "
                f"(1/{slow:.1f} at 10 msg/s)"
            )
    return lines


def _naive(row: "Row", rows: Sequence["Row"]) -> "Row":
    return next(other for other in rows if other.candidate.server == row.candidate.server)


def _rate(result: Result) -> float:
    return result.rate


def _cost(result: Result) -> float:
    # A tick of CPU time is 10 ms; less than one is not nothing.
    return max(result.cpu_per_100k, 1e-6)
