"""Servers for the end-to-end tests."""

import pytest

from tests.e2e import places
from tests.serving import Running


@pytest.fixture(scope="module")
def home():
    """A database and home on SQLite, to be served with uvicorn."""
    with places.place() as found:
        yield found


@pytest.fixture(scope="module")
def anywhere(request):
    """Such a place of every kind; asked for with `indirect` and the kinds that matter."""
    with places.place(request.param) as found:
        yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Beside a failure, what the servers of the test printed."""
    report = yield
    if report.failed:
        for name, value in item.funcargs.items():
            several = value if isinstance(value, list | tuple) else [value]
            for number, one in enumerate(several, 1):
                # One of the whole module may have gone with its home by now.
                if isinstance(one, Running) and one.home.exists():
                    report.sections.append((f"Log of {name} {number}", one.log()[-6000:]))
    return report
