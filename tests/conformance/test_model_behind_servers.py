"""The promises hold over the sockets of each server, on each engine, through the faults of both."""

import contextlib

import pytest

from tests.conformance import summary
from tests.conformance.behind import Behind
from tests.conformance.stores import ValkeyStore
from tests.e2e.places import place
from tests.stores import Valkey

pytestmark = pytest.mark.timeout(0)

STEPS = 40


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
@pytest.mark.parametrize("engine", ["memory", "valkey"])
async def test_walk_at_random_keeps_the_promises(engine, server, request, monkeypatch):
    async with contextlib.AsyncExitStack() as stack:
        settings, store = {}, None
        if engine == "valkey":
            # One of its own: what is done to it would be done to everybody's.
            url = stack.enter_context(Valkey()).url
            monkeypatch.setenv("AEGIS_TEST_REDIS_URL", url)
            settings, store = {"AEGIS_REDIS_URL": url}, ValkeyStore()
            stack.push_async_callback(store.close)
        here = stack.enter_context(place(f"sqlite {server}"))
        behind = await stack.enter_async_context(Behind(here, store, settings))
        steps = int(request.config.getoption("--steps")) or STEPS

        await behind.walk(seed=1, steps=steps)

    summary.note(request, server=server, steps=behind.steps)
