"""Example 3 of seed 002, as printed, in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.contracts.seed_002_help import example
from tests.serving import Running, start_server


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param, "--open") as running:
        yield running


@pytest.mark.dialects
def test_example_3_runs_as_printed(browser: Browser, server: Running):
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "log" else None)
    # Any page of the server: the examples are of its own origin.
    page.goto(f"{server.url}/healthz")

    with page.expect_console_message(lambda message: message.text == "null"):
        page.evaluate(f"async () => {{ {example(3, server)} }}")

    assert "sessionId" in said[0]
    assert "".join(said[1:-1]).startswith("Hello")
    context.close()
