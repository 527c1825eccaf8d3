from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, expect, sync_playwright

from tests.browser.desk import DEADLINE_SECONDS, Api, Desk
from tests.browser.floor import Floor
from tests.serving import Running, start_server

# Short enough to watch a component get late, lost and failed.
PERIODS: dict[str, Any] = {
    "AEGIS_HEARTBEAT_SECONDS": "1",
    "AEGIS_LOST_SECONDS": "2.5",
    "AEGIS_GRACE_SECONDS": "2",
    "AEGIS_START_SECONDS": "6",
    "AEGIS_SETTLING_SECONDS": "0",
}


@pytest.fixture(scope="session")
def served() -> Iterator[Running]:
    """One server for all tests; each makes sessions of its own."""
    with start_server(**PERIODS) as running:
        yield running


@pytest.fixture
def api(served) -> Api:
    return Api(served.url, served.token)


expect.set_options(timeout=DEADLINE_SECONDS * 1000)


@pytest.fixture(scope="session")
def browser(chromium) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, served: Running) -> StorageState:
    """The cookies of a browser in which the administrator signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/admin/login/?next=/admin/")
    page.fill("#id_username", served.user)
    page.fill("#id_password", served.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def new_context(
    browser: Browser, signed_in: StorageState
) -> Iterator[Callable[..., BrowserContext]]:
    """Make a signed-in browser context; all are closed with the test."""
    made: list[BrowserContext] = []

    def make(**options) -> BrowserContext:
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        made.append(browser.new_context(storage_state=signed_in, **options))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def desk(new_context, served) -> Iterator[Desk]:
    """A signed-in page at 1280, light; no script of ours may fail in it."""
    desk = Desk(new_context().new_page(), served.url)
    yield desk
    assert desk.faults == []


@pytest.fixture
def new_floor(served, api) -> Iterator[Callable[..., Floor]]:
    """Make a session of its own, with what its only rule says beside that it asks."""
    made: list[Floor] = []

    def make(**rule: Any) -> Floor:
        made.append(Floor(api, served.ws_url, **rule))
        return made[-1]

    yield make
    for floor in made:
        floor.clear()


@pytest.fixture
def floor(new_floor: Callable[..., Floor]) -> Floor:
    return new_floor()


@pytest.fixture
def other_floor(new_floor: Callable[..., Floor]) -> Floor:
    """A session beside, because a run that waits lets the next one wait."""
    return new_floor()
