"""The one node of a server process: its loop, hub, lease and periodic jobs."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar
from uuid import UUID

from aegis_project.database import run_db
from aegis_project.kit.errors import ServiceUnavailable
from streaming import hints, metrics
from streaming.hub import Hub
from streaming.services import leases

T = TypeVar("T")
logger = logging.getLogger(__name__)

CALL_SECONDS = 30.0
# A crowd that is sent away comes back over this time, a larger one over more.
RETRY_SPREAD_MS, MOST_SPREAD_MS, EACH_MS = 2000, 10_000, 10


class Job(Protocol):
    """Work that a node does again and again while it lives."""

    name: str
    period_seconds: float

    async def run(self, node: "Node") -> None:
        """Do it once; an exception is logged and the job goes on at its next turn."""

    def wants(self, hint: hints.Hint) -> bool:
        """Whether this hint should bring the next turn forward."""


class Node:
    """
    What a server process keeps alive beside its requests.

    It is started by the server's lifespan, or at the first scope where there is none, and never
    by importing a module. ``last`` is what remains to be written when nothing comes in any more,
    while the lease is still held.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        jobs: Sequence[Job],
        url: str = "",
        last: Sequence[Callable[["Node"], Awaitable[None]]] = (),
    ) -> None:
        self.hub = hub
        self._last = tuple(last)
        self.url = url
        self.lease_id: UUID | None = None
        self.is_draining = False
        self._jobs = {job.name: job for job in jobs}
        self._turns: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard: deque[hints.Hint] = deque()
        self._is_told = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop on which the hub and the jobs run."""
        if self._loop is None:
            raise ServiceUnavailable("The node is not running.")
        return self._loop

    async def start(self) -> None:
        """Take the lease, start the hub and every job."""
        self._loop = asyncio.get_running_loop()
        lease = await run_db(leases.take, url=self.url)
        self.lease_id = lease.pk
        await self.hub.start()
        hints.listen(self._hear)
        for job in self._jobs.values():
            self._turns[job.name] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._repeat(job), name=f"aegis-{job.name}"))

    async def stop(self) -> None:
        """Stop every job, tell the sockets, give the lease back."""
        self.is_draining = True
        hints.unlisten(self._hear)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.hub.dismiss()
        await self.hub.stop(retry_ms=self.retry_ms)
        for write in self._last:
            await self._write(write)
        if self.lease_id is not None:
            await run_db(leases.release, lease_id=self.lease_id)
        self._loop = None

    def job(self, name: str) -> Job:
        """The job of this name, for the edges that share its memory."""
        return self._jobs[name]

    def call(self, coroutine: Coroutine[Any, Any, T], *, seconds: float = CALL_SECONDS) -> T:
        """Run a coroutine of the hub from another thread and wait for its answer, so long."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        return future.result(seconds)

    async def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine of the hub from any loop."""
        if asyncio.get_running_loop() is self.loop:
            return await coroutine
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.loop))

    def retry_ms(self) -> int:
        """A pause for one component that is sent away, so that not all come back at once."""
        spread = min(max(RETRY_SPREAD_MS, EACH_MS * len(self.hub.seated())), MOST_SPREAD_MS)
        return random.randrange(spread)  # noqa: S311 -- it spreads load, it hides nothing

    def find(self, name: str) -> Job | None:
        """The job of this name, where not every node has one."""
        return self._jobs.get(name)

    def hurry(self, name: str) -> None:
        """Bring the next turn of a job forward; only from the node's own loop."""
        self._turns[name].set()

    def _hear(self, hint: hints.Hint) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        self._heard.append(hint)
        # Waking the loop costs more than a hint; those that come until it looks go together.
        if not self._is_told:
            self._is_told = True
            self._loop.call_soon_threadsafe(self._spread)

    def _spread(self) -> None:
        self._is_told = False
        # As many as there are now: whoever comes later tells the loop again.
        for hint in dict.fromkeys(self._heard.popleft() for _ in range(len(self._heard))):
            self.hub.hear(hint)
            for job in self._jobs.values():
                if job.wants(hint):
                    self._turns[job.name].set()

    async def _write(self, write: Callable[["Node"], Awaitable[None]]) -> None:
        try:
            await write(self)
        except Exception:  # what can be written must be, whatever became of the rest
            logger.exception("A last writing failed", extra={"action": "last_writing_failed"})

    async def _repeat(self, job: Job) -> None:
        turn = self._turns[job.name]
        while True:
            turn.clear()
            try:
                await job.run(self)
                metrics.job_ends.labels(job.name).set_to_current_time()
            except Exception:  # a job must survive what it meets, and what it meets must be seen
                metrics.job_failures.labels(job.name).inc()
                logger.exception("A job failed", extra={"action": "job_failed", "job": job.name})
            try:
                async with asyncio.timeout(job.period_seconds):
                    await turn.wait()
            except TimeoutError:
                continue


_current: Node | None = None


def current() -> Node | None:
    """The node of this process, or None where no server runs (a command, a test)."""
    return _current


def required() -> Node:
    """
    The node of this process.

    :raises ServiceUnavailable: where no server runs
    """
    if _current is None:
        raise ServiceUnavailable("No server runs in this process.")
    return _current


def install(node: Node | None) -> None:
    """Make a node the current one of the process, or none."""
    global _current  # noqa: PLW0603 -- one per process is the point
    _current = node
