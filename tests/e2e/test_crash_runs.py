"""kill -9 of a server or a worker in the middle of runs: they go on, and no two attempts mix."""

import contextlib
import os
import random
import signal
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.e2e.events import Event, Source
from tests.e2e.places import POSTGRES, SQLITE, Place
from tests.e2e.workers import working
from tests.serving import Running, until

pytestmark = [pytest.mark.timeout(600), pytest.mark.servers]

# The figures of the promise are ten runs of 2,000 chunks: TESTS_RUNS=10 TESTS_CHUNKS=2000.
RUNS = int(os.environ.get("TESTS_RUNS", "1"))
CHUNKS = int(os.environ.get("TESTS_CHUNKS", "300"))
PAUSE_SECONDS = 0.005
SESSIONS = "/api/v1/sessions"


@pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module")
def test_run_goes_on_when_its_server_was_killed(anywhere: Place):
    for _ in range(RUNS):
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(anywhere.serve())
            run, source = begin(stack.enter_context(client(first)))
            read_some(source)
            first.kill()
            second = stack.enter_context(anywhere.serve())
            source.web = stack.enter_context(client(second))
            source.rest()

            assert_whole(source)
            assert_the_same_to_who_comes_late(source, run)


@pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module")
def test_run_goes_on_with_another_worker_when_one_was_killed(anywhere: Place):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(anywhere.serve("--no-worker"))
        web = stack.enter_context(client(server))
        for number in range(RUNS):
            with working(server, f"first-{number}") as (doomed,):
                run, source = begin(web)
                with source.opened() as events:
                    read(events, random.randrange(1, CHUNKS // 2))  # noqa: S311 -- any will do
                    doomed.end(signal.SIGKILL)
                    with working(server, f"second-{number}"):
                        # The connection is not the worker's: it stays.
                        list(events)

            assert_whole(source)
            assert_the_same_to_who_comes_late(source, run)


@pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module")
def test_worker_that_is_told_to_end_lets_go_at_once(anywhere: Place):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(anywhere.serve("--no-worker"))
        web = stack.enter_context(client(server))
        with working(server, "ends") as (first,):
            run, source = begin(web)
            with source.opened() as events:
                read(events, 20)
                code = first.end(signal.SIGTERM)
        row = web.get(f"/api/v1/runs/{run}").json()
        with working(server, "goes-on"):
            source.rest()

    assert (code, row["state"], row["losses"]) == (0, "queued", 0)
    assert_whole(source)


@contextlib.contextmanager
def client(server: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False) as found:
        yield found


def begin(web: httpx2.Client) -> tuple[str, Source]:
    """A run that says many pieces, each with the number of its attempt."""
    session = web.post(SESSIONS, json={"agent": "assistant"}).json()["id"]
    step = {"text": "{attempt}:", "chunks": CHUNKS, "pause_seconds": PAUSE_SECONDS}
    said = {"content": "Count.", "parameters": {"script": [step]}}
    answer = web.post(f"{SESSIONS}/{session}/messages", json=said)
    assert answer.status_code in {200, 201, 202}, answer.text
    run = until(lambda: runs_of(web, session))[0]["id"]
    return run, Source(web, f"/api/v1/runs/{run}/stream")


def runs_of(web: httpx2.Client, session: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get(f"{SESSIONS}/{session}/runs").json()["data"]
    return found


def read_some(source: Source) -> None:
    """Read up to a moment that nobody chose."""
    with source.opened() as events:
        read(events, random.randrange(1, CHUNKS // 2))  # noqa: S311 -- any will do


def read(events: Iterator[Event], count: int) -> None:
    for _ in range(count):
        next(events)


def assert_whole(source: Source) -> None:
    """Everything came once, in order; a second attempt said so, and its text is alone."""
    ids = [int(one.id) for one in source.got if one.id]
    assert ids == sorted(set(ids))
    attempts = [one.data["attempt"] for one in source.got if one.name == "message_start"]
    assert attempts == [1, 2]
    assert source.text == "".join(f"2:{number} " for number in range(1, CHUNKS + 1))
    assert [one.name for one in source.got].count("message_end") == 1
    assert source.got[-1].name == "message_end"


def assert_the_same_to_who_comes_late(source: Source, run: str) -> None:
    late = Source(source.web, f"/api/v1/runs/{run}/stream")
    late.rest()
    assert late.text == source.text
