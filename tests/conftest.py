"""What every test can use: marks by folder, a Chromium to drive."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conformance.summary import pytest_addoption, pytest_terminal_summary

__all__ = ["pytest_addoption", "pytest_terminal_summary"]

TESTS = Path(__file__).parent
# A browser and its server are started for the first test, on cores that others use as well.
PATIENCE = pytest.mark.timeout(180)
MARKS: dict[str, list[str | pytest.MarkDecorator]] = {
    "conformance": ["conformance"],
    "browser": ["browser", PATIENCE],
    "servers": ["servers"],
    "docs": ["docs"],
}
# Whole files are handed out in this order, so that no long one is left over at the end.
LONGEST_FIRST = ["e2e", "servers", "docs", "contracts", "conformance", "integration"]
# In these folders, tests of tables run on every database; elsewhere a test brings its own.
ON_EVERY_DATABASE = {"integration", "conformance"}
CHROMIUM = [
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=turn)
    for item in items:
        folder = folder_of(item)
        for mark in MARKS.get(folder, []):
            item.add_marker(mark)
        if folder in ON_EVERY_DATABASE and touches_tables(item):
            item.add_marker("database")


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


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and find_chromium() is None:
        # The full check may not leave anything out.
        refuse = pytest.fail if os.environ.get("AEGIS_CI") else pytest.skip
        refuse(NO_CHROMIUM)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """The test database, emptied in our own way after tests that commit."""
    from tests import emptying  # noqa: PLC0415 -- app ready

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
