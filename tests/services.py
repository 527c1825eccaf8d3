"""
The pytest plugin that gives every test run a real PostgreSQL and a real Valkey.

A keeper process owns both servers. It holds one end of a pipe and takes everything down
when the other end closes, so nothing stays behind however the run ends.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.stores import Postgres, Valkey

# The keeper


@contextlib.contextmanager
def store(kind: type[Postgres | Valkey]) -> Iterator[str]:
    with kind() as server:
        yield server.url


PARTS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "TESTS_HOME": functools.partial(tempfile.TemporaryDirectory, prefix="aegis-home-"),
    "AEGIS_TEST_DATABASE_URL": functools.partial(store, Postgres),
    "AEGIS_TEST_REDIS_URL": functools.partial(store, Valkey),
}


def keep(names: list[str]) -> None:
    """Make the named parts, print where they are, wait for the end of standard input."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with contextlib.ExitStack() as stack:
        addresses = {name: stack.enter_context(PARTS[name]()) for name in names}
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Where all parts are; what the environment does not name yet is made here."""
    named = {name: os.environ[name] for name in PARTS if os.environ.get(name)}
    missing = [name for name in PARTS if name not in named]
    if not missing:
        yield named
        return
    with subprocess.Popen(
        [sys.executable, "-m", "tests.services", *missing],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for pytest, which then closes the pipe.
        start_new_session=True,
    ) as keeper:
        assert keeper.stdout is not None
        line = keeper.stdout.readline()
        if not line:
            raise pytest.UsageError("The servers for the tests did not start; see above.")
        yield {**named, **json.loads(line)}


# The plugin

services_key = pytest.StashKey[contextlib.ExitStack]()


UNBOUNDED = {
    f"AEGIS_{kind}_PER_MINUTE": "0"
    for kind in ("LOGINS", "CREATES", "COMMANDS", "PUBLISHES", "STREAMS")
}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before Django reads its settings: servers up, and a home that is nobody's."""
    stack = early_config.stash[services_key] = contextlib.ExitStack()
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        os.environ.update(stack.enter_context(running()))
    else:
        url = os.environ["AEGIS_TEST_REDIS_URL"]
        os.environ["AEGIS_TEST_REDIS_URL"] = own_database(url, worker)
    # Tests of many share one principal; those of rates set their own.
    os.environ |= UNBOUNDED
    os.environ["AEGIS_HOME"] = tempfile.mkdtemp(dir=os.environ["TESTS_HOME"])


def own_database(url: str, worker: str) -> str:
    """
    Each xdist worker has a Valkey database of its own, so that flushing hurts nobody.

    The first is none's: whoever has just connected stands there for a moment, and is not to be cut
    off with those of another worker.
    """
    number = int(worker.removeprefix("gw")) + 1
    return f"{url.removesuffix('/0')}/{number}" if url.endswith("/0") else url


def pytest_unconfigure(config: pytest.Config) -> None:
    if services_key in config.stash:
        config.stash[services_key].close()


if __name__ == "__main__":
    keep(sys.argv[1:])
