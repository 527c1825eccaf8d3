"""What every test can use: marks by folder, a Chromium to drive."""

import os
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.conformance import summary
from tests.conformance.summary import pytest_addoption
from tests.integration.access import tally
from tests.laws import summary as laws
from tests.run import WITH_TABLES

__all__ = ["pytest_addoption"]

TESTS = Path(__file__).parent
# A browser and its server are started for the first test, on cores that others use as well.
PATIENCE = pytest.mark.timeout(180)
MARKS: dict[str, list[str | pytest.MarkDecorator]] = {
    "conformance": ["conformance"],
    "browser": ["browser", PATIENCE],
    "servers": ["servers"],
    "docs": ["docs"],
    "contracts": ["dialects"],
}
# Whole files are handed out in this order, so that no long one is left over at the end.
LONGEST_FIRST = ["e2e", "servers", "docs", "contracts", "conformance", "integration"]
# In these folders, tests of tables run on every database; elsewhere a test brings its own.
ON_EVERY_DATABASE = {"integration", "conformance"}
CHROMIUM = [
    # Without what shows windows it does the same with half of the work.
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]
NO_CHROMIUM = (
    "No Chromium here: run `apt-get install --no-install-recommends chromium`, "
    "or name one in AEGIS_CHROMIUM."
)


# How fast examples are drawn depends on what else the machine does.
hypothesis.settings.register_profile(
    "aegis", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None
)
hypothesis.settings.load_profile("aegis")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=turn)
    for item in items:
        folder = folder_of(item)
        for mark in MARKS.get(folder, []):
            item.add_marker(mark)
        # Who may do what is asked thousands of times, and no database has a say in it.
        is_matrix = item.get_closest_marker("access") is not None
        if folder in ON_EVERY_DATABASE and touches_tables(item) and not is_matrix:
            item.add_marker("database")
        if item.get_closest_marker("database") and f"tests/{folder}" not in WITH_TABLES:
            raise pytest.UsageError(f"Nobody looks there for tests of tables: {item.nodeid}")


def folder_of(item: pytest.Item) -> str:
    """The folder in `tests` that a test is in; empty for one from elsewhere."""
    is_ours = item.path.is_relative_to(TESTS)
    return item.path.relative_to(TESTS).parts[0] if is_ours else ""


def turn(item: pytest.Item) -> int:
    """Where the files of a test's folder stand among those that are handed out."""
    folder = folder_of(item)
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def touches_tables(item: pytest.Item) -> bool:
    """Whether a test uses the test database of Django."""
    fixtures = {"db", "transactional_db"}.intersection(getattr(item, "fixturenames", []))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What some tests count beside what failed."""
    summary.tell(terminalreporter)
    laws.tell(terminalreporter)
    tally.summarise(terminalreporter)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and find_chromium() is None:
        # The full check may not leave anything out.
        refuse = pytest.fail if os.environ.get("AEGIS_CI") else pytest.skip
        refuse(NO_CHROMIUM)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The test database, emptied in our own way after tests that commit."""
    from tests import emptying, static_files  # noqa: PLC0415 -- app ready

    static_files.install()
    with django_db_blocker.unblock():
        emptying.install()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium; only for tests marked `browser`."""
    path = find_chromium()
    assert path is not None, NO_CHROMIUM
    return path


def find_chromium() -> str | None:
    """The one that AEGIS_CHROMIUM names and no other, or the first of the usual ones."""
    named = os.environ.get("AEGIS_CHROMIUM")
    names = [named] if named else CHROMIUM
    return next((path for name in names if (path := shutil.which(name))), None)
