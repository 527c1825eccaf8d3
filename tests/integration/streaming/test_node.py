import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.utils import timezone

from aegis_project.database import run_db
from aegis_project.kit.errors import ServiceUnavailable
from streaming import hints
from streaming import node as nodes
from streaming.hints import Hint
from streaming.hub import Hub
from streaming.jobs import LeaseJob
from streaming.models import Lease
from streaming.node import Node
from tests import waiting

pytestmark = pytest.mark.django_db(transaction=True)


class Turns:
    """A job that counts its turns and may fail in some."""

    def __init__(self, name: str = "turns", *, period_seconds: float = 0.001) -> None:
        self.name = name
        self.period_seconds = period_seconds
        self.count = 0
        self.fails: Callable[[int], bool] = lambda _: False
        self.wanted: set[str] = set()

    async def run(self, node: Node) -> None:
        self.count += 1
        if self.fails(self.count):
            raise ZeroDivisionError

    def wants(self, hint: Hint) -> bool:
        return hint.kind in self.wanted


@asynccontextmanager
async def running(*jobs: Any, url: str = "") -> AsyncIterator[Node]:
    node = Node(hub=Hub(), jobs=jobs, url=url)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


def leases() -> list[Lease]:
    return list(Lease.objects.all())


# Leases


async def test_a_node_has_a_lease_while_it_lives():
    async with running(url="http://one:8000") as node:
        (during,) = await run_db(leases)
    (after,) = await run_db(leases)

    assert (during.pk, during.url) == (node.lease_id, "http://one:8000")
    assert during.expires_at > timezone.now()
    assert after.expires_at <= timezone.now()


async def test_a_lease_that_somebody_removed_is_taken_anew():
    job = LeaseJob()
    async with running() as node:
        first = node.lease_id
        await job.run(node)
        kept = node.lease_id
        await run_db(Lease.objects.all().delete)
        await job.run(node)
        found = await run_db(leases)

    assert kept == first
    assert [one.pk for one in found] == [node.lease_id] != [first]


# Jobs


async def test_a_job_is_done_again_and_again_until_the_node_stops():
    job = Turns()
    async with running(job) as node:
        await waiting.until(lambda: job.count >= 3)
        assert node.job("turns") is job

    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("aegis-")] == []


async def test_a_job_that_fails_is_logged_and_goes_on(caplog: pytest.LogCaptureFixture):
    job, other = Turns(), Turns("other")
    job.fails = lambda count: count <= 2
    async with running(job, other):
        await waiting.until(lambda: job.count >= 4 and other.count >= 4)

    failures = [record for record in caplog.records if record.message == "A job failed"]
    assert [(one.action, one.job) for one in failures] == [("job_failed", "turns")] * 2  # type: ignore[attr-defined]


async def test_a_hint_brings_the_turn_of_whoever_wants_it_forward():
    wanting, other = Turns("wanting", period_seconds=600), Turns("other", period_seconds=600)
    wanting.wanted = {"lever"}
    async with running(wanting, other):
        await waiting.until(lambda: wanting.count == other.count == 1)
        await asyncio.to_thread(hints.deliver, Hint("component", "c"))
        await asyncio.to_thread(hints.deliver, Hint("lever", "s"))
        await waiting.until(lambda: wanting.count == 2)

    assert other.count == 1


async def test_hints_from_threads_are_all_heard_and_each_once_at_a_time():
    heard: list[Hint] = []

    class Ears(Turns):
        def wants(self, hint: Hint) -> bool:
            heard.append(hint)
            return False

    said = [Hint("run", str(n % 3)) for n in range(30)]

    async with running(Ears()):
        hints.deliver(Hint("lever", "a"))
        for hint in said:
            hints.deliver(hint)
        await asyncio.to_thread(hints.deliver, Hint("lever", "b"))
        await waiting.until(lambda: Hint("lever", "b") in heard)

    assert heard == [Hint("lever", "a"), *said[:3], Hint("lever", "b")]


async def test_a_hint_during_a_turn_is_not_forgotten():
    job = Turns(period_seconds=600)
    job.wanted = {"lever"}
    begun, may_end = asyncio.Event(), asyncio.Event()
    count = job.run

    async def slow(node: Node) -> None:
        begun.set()
        await may_end.wait()
        await count(node)

    job.run = slow  # type: ignore[method-assign]
    async with running(job):
        await begun.wait()
        hints.deliver(Hint("lever", "s"))
        may_end.set()
        await waiting.until(lambda: job.count == 2)


async def test_a_turn_may_be_hurried():
    job = Turns(period_seconds=600)
    async with running(job) as node:
        await waiting.until(lambda: job.count == 1)
        node.hurry("turns")
        await waiting.until(lambda: job.count == 2)


async def test_a_stopped_node_hears_nothing():
    job = Turns(period_seconds=600)
    job.wanted = {"lever"}
    async with running(job) as node:
        await waiting.until(lambda: job.count == 1)

    with pytest.raises(ServiceUnavailable):
        _ = node.loop
    await asyncio.to_thread(hints.deliver, Hint("lever", "s"))
    await asyncio.sleep(0)

    assert job.count == 1


# Calls from threads


async def test_a_thread_may_call_what_runs_on_the_loop():
    async def where() -> int:
        return threading.get_ident()

    async with running() as node:
        found = await asyncio.to_thread(node.call, where())

        assert node.loop is asyncio.get_running_loop()

    assert found == threading.get_ident()


async def test_what_a_call_raises_reaches_the_thread():
    async def fail() -> None:
        raise ZeroDivisionError

    async with running() as node:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(node.call, fail())


def test_a_node_that_does_not_run_has_no_loop():
    with pytest.raises(ServiceUnavailable):
        _ = Node(hub=Hub(), jobs=[]).loop


# The node of the process


def test_without_a_server_there_is_no_node():
    assert nodes.current() is None
    with pytest.raises(ServiceUnavailable):
        nodes.required()


def test_the_node_of_a_process_is_the_one_that_was_installed():
    node = Node(hub=Hub(), jobs=[])
    nodes.install(node)
    try:
        assert nodes.required() is nodes.current() is node
    finally:
        nodes.install(None)


def test_who_is_sent_away_comes_back_at_a_moment_of_its_own():
    node = Node(hub=Hub(), jobs=[])

    pauses = {node.retry_ms() for _ in range(200)}

    assert pauses <= set(range(nodes.RETRY_SPREAD_MS))
    assert len(pauses) > 1
