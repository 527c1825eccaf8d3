"""What the laws of the mapping print at their end: how many commands each survived."""

from collections import Counter
from collections.abc import Mapping

import pytest

PROPERTY = "laws"


def note(request: pytest.FixtureRequest, kept: Mapping[str, int]) -> None:
    """Let the summary know; it travels with the report of the test, whatever process that ran in."""
    request.node.user_properties.append((PROPERTY, dict(kept)))


def tell(reporter: pytest.TerminalReporter) -> None:
    """Print the table, if a law was put to the test."""
    kept: Counter[str] = Counter()
    for report in (*reporter.getreports("passed"), *reporter.getreports("failed")):
        if report.when == "call":
            for name, value in report.user_properties:
                kept.update(value if name == PROPERTY else {})
    if kept:
        reporter.section("laws of the dialects, and the commands that each survived")
        for law, count in sorted(kept.items()):
            reporter.write_line(f"{count:>10,}  {law}")
