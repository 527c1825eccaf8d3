"""A reader whose server is killed goes on at another one, while the run goes on elsewhere."""

import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from tests.contracts.seed_002_help import Socket, text_of
from tests.e2e.events import Source
from tests.e2e.places import POSTGRES, Place
from tests.e2e.workers import working
from tests.serving import Running

pytestmark = [pytest.mark.timeout(300), pytest.mark.servers]

CHUNKS = int(os.environ.get("TESTS_CHUNKS", "300"))
STEP = {"text": "word ", "chunks": CHUNKS, "pause_seconds": 0.01}
WORDS = "".join(f"word {number} " for number in range(1, CHUNKS + 1))


@contextlib.contextmanager
def two(anywhere: Place) -> Iterator[tuple[Running, Running]]:
    """Two servers on one database, and a worker that is neither."""
    home = anywhere.home.with_name("other")
    shutil.copytree(anywhere.home, home, dirs_exist_ok=True)
    other = replace(anywhere, home=home)
    with (
        anywhere.serve("--no-worker") as first,
        other.serve("--no-worker") as second,
        working(second, "works"),
    ):
        yield first, second


@contextlib.contextmanager
def client(server: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False) as found:
        yield found


def some() -> int:
    """A moment that nobody chose."""
    return random.randrange(2, CHUNKS // 2)  # noqa: S311 -- any will do


def order() -> dict[str, Any]:
    said = {"type": "text/plain", "content": "Count."}
    return {"taskId": "count", "input": said, "parameters": {"script": [STEP]}}


@pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module")
def test_events_go_on_at_the_other_server(anywhere: Place):
    with two(anywhere) as (first, second), client(first) as web, client(second) as other:
        asked = {**order(), "returnImmediately": True}
        task = web.post("/agents/assistant/tasks", json=asked).json()
        source = Source(web, f"/api/v1/runs/{task['metadata']['runId']}/stream")

        with source.opened() as events:
            for _ in range(some()):
                next(events)
            first.kill()
        source.web = other
        source.rest()

    ids = [int(one.id) for one in source.got]
    assert ids == sorted(set(ids))
    assert ids[-1] == CHUNKS + 2
    assert [one.name for one in source.got].count("message_start") == 1
    assert source.text == WORDS


@pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module")
def test_chunks_go_on_at_the_other_server(anywhere: Place):
    with two(anywhere) as (first, second), contextlib.ExitStack() as stack:
        here, there = (
            Socket(one, header=[f"Authorization: Bearer {one.token}"]) for one in (first, second)
        )
        stack.callback(here.close)
        stack.callback(there.close)
        here.send(order())

        had = [here.next() for _ in range(some())]
        first.kill()
        there.send({"taskId": "count", "after": had[-1]["id"]})
        rest = list(there.chunks())

    ids = [int(one["id"]) for one in had + rest]
    assert ids == sorted(set(ids))
    assert text_of(had + rest) == WORDS
    assert [one["final"] for one in rest].count(True) == 1
