"""How long it takes until what the tests of the pages name is there, with the settings as they are."""

import argparse
import contextlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.promises_pages import others, revoked, silence, slowest, stopped
from benchmarks.ui_desk import chromium, fill
from benchmarks.verdicts import Verdict, shown
from sessions.management.completing import PATIENCE_SECONDS
from tests.browser.desk import Api
from tests.serving import Running, start_server, until

SPEED = 5
PRINT = """
from pathlib import Path
from sessions.management import aegis_completion, completion_cache
print(aegis_completion.command(completion_cache.file()))
"""


def completion(running: Running, count: int, rounds: int) -> Iterator[Verdict]:
    """A key among many sessions: from the cache, and where there is none yet (CL5)."""
    report.progress(f"completion among {count:,} sessions")
    fill(running, f"sessions({count})")
    program = shlex.split(running.manage("shell", "-v", "0", "-c", PRINT).splitlines()[-1])
    cache = Path(program[-2])
    cold, made = list[float](), list[float]()
    for _ in range(rounds):
        for file in cache.parent.glob("completion.json*"):
            file.unlink()
        begun_at = time.time()
        _complete(program, running)
        cold.append(time.time() - begun_at)
        until(cache.exists, seconds=120)
        made.append(time.time() - begun_at)
    warm = list[float]()
    for _ in range(rounds):
        begun_at = time.time()
        found = _complete(program, running)
        warm.append(time.time() - begun_at)
        assert found or count < 1000
    yield slowest("key completed from the cache (CL5)", warm, 0.3)
    yield slowest("shell goes on where there is no cache yet", cold, 0.3)
    yield slowest("cache made beside it", made, PATIENCE_SECONDS)


def _complete(program: Sequence[str], running: Running) -> list[str]:
    words = [*program, "session", "pause", "listed-999"]
    said = subprocess.run(
        words, capture_output=True, text=True, check=True, env=running.environment
    )
    return said.stdout.splitlines()


def demo(rounds: int) -> Iterator[Verdict]:
    """From the command of the demo to the approval that waits (DM1)."""
    taken = []
    for _ in range(rounds):
        report.progress("the demo")
        begun_at = time.time()
        with start_server("--speed", str(SPEED), verb="run") as running:
            api = Api(running.url, running.token)
            until(lambda: _waiting(api), seconds=180)  # noqa: B023 -- called at once
            taken.append(time.time() - begun_at)
    yield slowest(f"demo at --speed {SPEED} comes to the approval (DM1)", taken, 30)


def _waiting(api: Api) -> Any:
    # While the session is made, there is nothing to ask yet.
    with contextlib.suppress(AssertionError, OSError):
        return [one for one in api.get("approvals")["data"] if one["state"] == "pending"]
    return []


def measure(sessions: int, rounds: int) -> list[Verdict]:
    """All of them, on servers with SQLite and one Chromium."""
    ours, theirs = machine.cores()
    found = list[Verdict]()
    with machine.pinned(theirs), chromium() as browser:
        with machine.pinned(ours), start_server() as running, machine.pinned(theirs):
            found += others(running, browser, rounds)
            found += revoked(running, rounds)
            found += silence(running, browser, min(rounds, 3))
            found += completion(running, sessions, rounds)
        with machine.pinned(ours):
            found += stopped(browser, min(rounds, 3))
            found += demo(min(rounds, 3))
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure as asked; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="benchmarks/promises", description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000, help="among which a key is found")
    parser.add_argument("--rounds", type=int, default=7, help="of what takes little")
    parser.add_argument("--json", action="store_true", help="figures alone, for programs")
    asked = parser.parse_args(arguments)
    found = measure(asked.sessions, asked.rounds)
    if asked.json:
        print(json.dumps({one.what: one.measured for one in found}, indent=2))
    else:
        print(f"{report.header()}\n{report.quietness()}\n\n{shown(found)}")
    return int(any(one.word == "FALLS SHORT" for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
