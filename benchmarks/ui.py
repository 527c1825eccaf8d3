"""What a browser makes of the admin's pages, against the budgets of specification 6."""

import argparse
import json
import sys
from collections.abc import Sequence

from benchmarks import machine, report
from benchmarks.ui_desk import Asked, chromium, fill
from benchmarks.ui_paints import lists, paints
from benchmarks.ui_streams import board, pixels, tail
from benchmarks.verdicts import Verdict, shown
from tests.serving import start_server


def measure(asked: Asked) -> list[Verdict]:
    """All budgets, on one server with SQLite and one Chromium."""
    ours, others = machine.cores()
    with machine.pinned(ours), start_server() as running, machine.pinned(others):
        report.progress(f"{asked.sessions:,} sessions, a ledger of {asked.events:,} events")
        fill(running, f"sessions({asked.sessions})")
        long = fill(running, f"long_session({asked.events})").split()[-1]
        with chromium() as browser:
            return [
                *paints(running, browser, asked, long),
                *lists(running, browser, asked),
                *pixels(running, browser, asked),
                *board(running, browser, asked),
                *tail(running, browser, asked),
            ]


def main(arguments: Sequence[str]) -> int:
    """Measure as asked; 1 when a budget is not kept."""
    parser = argparse.ArgumentParser(prog="benchmarks/ui", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=50_000, help="of the long ledger")
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--records", type=int, default=2000, help="of the tail, a second")
    parser.add_argument("--seconds", type=float, default=20, help="how long each stream lasts")
    parser.add_argument("--boards", type=int, default=100, help="sessions that run at once")
    parser.add_argument("--json", action="store_true", help="figures alone, for programs")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    found = measure(Asked(**options))
    if as_json:
        print(json.dumps({one.what: one.measured for one in found}, indent=2))
    else:
        print(f"{report.header()}\n{report.quietness()}\n\n{shown(found)}")
    return int(any(one.word == "FALLS SHORT" for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
