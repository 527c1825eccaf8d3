"""
A pytest plugin that writes down what really happened to each test.

The file named by TESTS_TALLY receives `{"outcomes": {test: outcome}, "database": bool}`,
where `database` says whether any test touches tables.
"""

import json
import os
from pathlib import Path

import pytest

# A later phase may only make a test's outcome worse: passed in its call, failed in its teardown.
RANK = ["passed", "skipped", "failed"]


class Tally:
    """The worst outcome of each test so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}
        self.has_database = False

    def note(self, test: str, outcome: str) -> None:
        self.outcomes[test] = max(outcome, self.outcomes.get(test, "passed"), key=RANK.index)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.has_database |= "database" in report.keywords
        self.note(report.nodeid, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self.note(report.nodeid, report.outcome)

    def pytest_sessionfinish(self) -> None:
        facts = {"outcomes": self.outcomes, "database": self.has_database}
        self.path.write_text(json.dumps(facts))


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.get("TESTS_TALLY")
    if path and "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(Tally(Path(path)), "tally")
