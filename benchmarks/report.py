"""What was measured, as tables for people."""

import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import orjson

from benchmarks import machine
from benchmarks.load import Result

if TYPE_CHECKING:
    from benchmarks.fanout import Row
    from benchmarks.verdicts import Measured, Verdict

LIBRARIES = ("channels", "channels-redis", "daphne", "uvicorn", "uvloop", "websockets", "twisted")
# How busy the server's core was, and that of the load generator, which must not be the limit.
COSTS = ("batch", "busy", "load", "CPU s/100k", "p50 ms", "p99 ms")
FLOOD = ("server", "candidate", "del/s", "x redis", *COSTS)
PACED = ("server", "candidate", "msg/s", "del/s", *COSTS)
# Looked at before anything is measured, because the benchmark itself keeps both cores busy.
LOAD, QUIET_LOAD = os.getloadavg()[0], 0.5
FAULTS = ("lost", "disorder")
RUNS = ("flood", "slow", "fast")


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


def beside(run: "Measured") -> str:
    """What was measured beside the fan-out, in words."""
    lines = []
    found = run.storm
    if found is not None:
        waits = sorted(found.waits) or [float("inf")]
        lines += [
            f"\n{found.components:,} components: connected in {found.connect_seconds:.1f} s; "
            f"{found.idle_bytes / 1024:.0f} KiB each when idle (control socket "
            f"{found.control_bytes / 1024:.0f}, data socket {found.data_bytes / 1024:.0f})",
            f"cut off and back in {found.reconnect_seconds:.1f} s (the middle one after "
            f"{waits[len(waits) // 2]:.1f} s), {found.reconnect_cpu_seconds:.1f} s of the server's "
            f"core, {found.client_seconds:.1f} s of the load's; "
            f"{len(found.waits):,} run, refused: {dict(found.refusals) or 'none'}, "
            f"lost {found.lost}, out of order {found.disordered}",
        ]
    for server, one in run.slow.items():
        cut = "not cut" if one.cut_seconds is None else f"cut after {one.cut_seconds:.1f} s"
        lines.append(
            f"reads nothing, {server}: {cut}, {one.grown_bytes / 1024:.0f} KiB; others' p99 "
            f"{one.calm.wait_ms(0.99):.1f} ms before, {one.beside.wait_ms(0.99):.1f} ms beside it"
        )
    lines += [f"{name} did not run: {why}" for name, why in run.missing.items()]
    return "\n".join(lines) + "\n"


def as_json(run: "Measured", found: Sequence["Verdict"]) -> bytes:
    """Everything for programs."""
    document = {
        "machine": {"header": header(), "load": quietness()},
        "fanout": [
            {
                "server": row.candidate.server,
                "candidate": row.candidate.name,
                **{name: [_figures(one) for one in getattr(row, name)] for name in RUNS},
            }
            for row in run.rows
        ],
        "storm": run.storm,
        "slow": {
            server: {
                "cut_seconds": one.cut_seconds,
                "grown_bytes": one.grown_bytes,
                "calm": _figures(one.calm),
                "beside": _figures(one.beside),
            }
            for server, one in run.slow.items()
        },
        "missing": run.missing,
        "verdicts": [
            {"what": one.what, "measured": one.measured, "must": one.must, "aim": one.aim}
            | {"unit": one.unit.strip(), "verdict": one.word}
            for one in found
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _figures(result: Result) -> dict[str, float]:
    names = ("rate", "batch", "busy", "client_busy", "cpu_per_100k", "bytes_each")
    waits = {"p50_ms": result.wait_ms(0.5), "p99_ms": result.wait_ms(0.99)}
    counts = {"lost": result.lost, "disordered": result.disordered}
    return {name: getattr(result, name) for name in names} | waits | counts


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
    told = f"load average {LOAD:.1f} over the minute before"
    return (
        told if LOAD < QUIET_LOAD else f"{told}: NOT A QUIET MACHINE, trust CPU per delivery only"
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
        f"{middle(results, lambda result: result.client_busy):.2f}",
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
    same = (other for other in rows if other.candidate.server == row.candidate.server)
    first = next(same)
    return first if first.candidate.name.startswith("group_send") else rows[0]


def _rate(result: Result) -> float:
    return result.rate


def _cost(result: Result) -> float:
    # A tick of CPU time is 10 ms; less than one is not nothing.
    return max(result.cpu_per_100k, 1e-6)
