"""What the conformance suite prints at its end: engines, servers, steps, mutants caught."""

from collections import Counter, defaultdict

import pytest

WALK_STEPS = 40
PROPERTY = "conformance"


def note(request: pytest.FixtureRequest, **facts):
    """Put something into the table, for the engine that the test's id begins with."""
    # It travels with the report of the test, from whatever process that ran in.
    engine = request.node.callspec.id.split("-")[0]
    request.node.user_properties.append((PROPERTY, {"engine": engine, **facts}))


def walks(request: pytest.FixtureRequest, make_store) -> int:
    """How many walks a store is put to."""
    steps = int(request.config.getoption("--steps"))
    return max(1, steps // WALK_STEPS) if steps else int(make_store.walks)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--steps",
        type=int,
        default=0,
        help="steps of the resume model that the conformance suite takes on each engine",
    )
    parser.addoption(
        "--kills",
        type=int,
        default=0,
        help="workers that are killed around the effects of tools, on each database",
    )


def tell(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
    ]
    facts = [value for one in reports for name, value in one.user_properties if name == PROPERTY]
    if facts:
        terminalreporter.section("conformance")
        for line in table(facts):
            terminalreporter.write_line(line)


def table(facts):
    steps: Counter[tuple[str, str]] = Counter()
    caught: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in facts:
        if "mutant" in one:
            caught[one["mutant"]][one["engine"]] = one["steps"]
        else:
            steps[one["engine"], one["server"]] += one["steps"]
    yield f"{'engine':<24}{'server':<16}{'steps':>10}"
    for (engine, server), count in sorted(steps.items()):
        yield f"{engine:<24}{server:<16}{count:>10,}"
    if caught:
        yield f"{len(caught)} mutants caught, after so many steps:"
    for mutant, engines in sorted(caught.items()):
        told = ", ".join(f"{engine} {count}" for engine, count in sorted(engines.items()))
        yield f"  {mutant:<26}{told}"
