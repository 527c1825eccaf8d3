"""The test command: on SQLite, then on PostgreSQL what touches tables, then in a browser."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import services

APART = ["browser", "servers", "conformance", "docs"]
# The browser's driver leaves an event loop running in its process, and Django refuses to work there.
BROWSERLESS = "not browser"
# Without --all the browser's driver is not even installed.
BROWSER = "tests/browser"
LIGHT = ["--ignore", BROWSER, "-p", "no:schemathesis"]
# No other folder has a test that is marked `database`; every process of a pass collects for itself.
WITH_TABLES = ["tests/integration", "tests/contracts", "tests/conformance"]
# What is worth a look when the whole takes too long.
SLOWEST = ["--durations", "40", "--durations-min", "4"]
# Linux keeps it in memory; where it is small, what a whole run writes would not fit.
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 6 * 2**30  # noqa: S108 -- mkdtemp makes the name
KEPT = {"AEGIS_CHROMIUM", "AEGIS_CI", "AEGIS_DATA"}
# pytest's exit codes: 2 to 4 are an interrupt, an error of its own, wrong usage.
NOTHING_COLLECTED, HOPELESS = 5, {2, 3, 4}


@dataclass
class Pass:
    """One run of pytest on one database."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    code: int = NOTHING_COLLECTED
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    has_database: bool = False

    def run(self, folder: Path) -> None:
        """Let pytest print for itself, then read from its tally what happened."""
        tally = folder / f"{self.name}.json"
        started_at = time.monotonic()
        # One seed for all workers, or they see tests made from a set in different orders.
        extra = {"PYTHONHASHSEED": "0", "TESTS_TALLY": str(tally)}
        environment = {**clean(os.environ), **self.environment, **extra}
        self.code = interruptible([sys.executable, "-m", "pytest", *self.arguments], environment)
        self.seconds = time.monotonic() - started_at
        if tally.exists():
            facts = json.loads(tally.read_text())
            self.counts = Counter(facts["outcomes"].values())
            self.has_database = facts["database"]

    def __str__(self) -> str:
        return f"{self.name:<12}{sentence(self.counts)} in {self.seconds:.0f} s"


def main(arguments: Sequence[str]) -> int:
    """Exit 0 only when something was run and nothing failed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Started in the background it may be ignored, and every process of the tests inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("-m", dest="mark", default="")
    options, rest = parser.parse_known_args(arguments)
    try:
        with in_memory() as folder, services.running() as addresses:
            passes = run_passes(options, rest, addresses, Path(folder))
    except KeyboardInterrupt:
        return 130
    return conclude(passes, everything=options.all)


@contextlib.contextmanager
def in_memory() -> Iterator[str]:
    """A folder for all that the tests write; no disk that is busy with other things slows them."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES
    place = MEMORY if has_room and os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(
        prefix="aegis-tests-", dir=place, ignore_cleanup_errors=True
    ) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        yield folder


def run_passes(
    options: argparse.Namespace, rest: list[str], addresses: dict[str, str], folder: Path
) -> list[Pass]:
    apart = BROWSERLESS if options.all else f"not ({' or '.join(APART)})"
    common = ["-p", "tests.tally", "-n", str(workers()), "--no-loadscope-reorder"]
    common += SLOWEST if options.all else LIGHT
    # What is dear to make, a server above all, is shared by the tests of one file.
    by_file, one_by_one = [*common, "--dist", "loadfile"], [*common, "--dist", "worksteal"]

    first = Pass("SQLite", [*by_file, *marked(options.mark, apart), *rest], addresses)
    announce("On SQLite and memory")
    first.run(folder)
    touches_tables = first.has_database or first.counts["failed"]
    if first.code in HOPELESS or not touches_tables:
        return [first]

    on_postgres = {**addresses, "AEGIS_DATABASE_URL": addresses["AEGIS_TEST_DATABASE_URL"]}
    selection = marked(options.mark, apart, "database")
    asked = rest if names_tests(rest) else [*rest, *WITH_TABLES]
    second = Pass("PostgreSQL", [*one_by_one, *selection, *asked], on_postgres)
    announce("What touches tables, on PostgreSQL")
    second.run(folder)
    passes = [first, second]
    if options.all:
        shown = marked(options.mark, "browser")
        asked = rest if names_tests(rest) else [*rest, BROWSER]
        passes.append(Pass("Browser", [*one_by_one, *shown, *asked], addresses))
        announce("In a Chromium")
        passes[-1].run(folder)
    return passes


def names_tests(arguments: list[str]) -> bool:
    """Whether the caller says which files are tried."""
    return any(Path(one.partition("::")[0]).exists() for one in arguments)


def workers() -> int:
    """How many processes test at once: more than cores, for half of the time a test waits."""
    return min(2 * (os.cpu_count() or 1), 6)


def marked(*conditions: str) -> list[str]:
    """The -m option under which all the conditions hold."""
    expression = " and ".join(f"({condition})" for condition in conditions if condition)
    return ["-m", expression] if expression else []


def clean(environment: os._Environ[str]) -> dict[str, str]:
    """The settings of the caller's own Aegis must not reach the tests."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("AEGIS_") or name in KEPT or name.startswith("AEGIS_TEST_")
    }


def interruptible(command: list[str], environment: dict[str, str]) -> int:
    """Run to the end; when told to stop, let pytest clean up first."""
    with subprocess.Popen(command, env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise


def conclude(passes: list[Pass], *, everything: bool) -> int:
    total = sum((one.counts for one in passes), Counter[str]())
    announce("Result")
    lines = [str(one) for one in passes]
    if not everything:
        lines.append(f"Only under --all: {', '.join(APART)}")
    if not total:
        lines.append("No test was run.")
    print(*lines, sentence(total), sep="\n", flush=True)  # noqa: T201 -- its purpose
    is_clean = {one.code for one in passes} <= {0, NOTHING_COLLECTED}
    return 0 if is_clean and total["passed"] and not total["failed"] else 1


def sentence(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))


def announce(title: str) -> None:
    print(f"\n── {title} ──", flush=True)  # noqa: T201 -- its purpose


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
