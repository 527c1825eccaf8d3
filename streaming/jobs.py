"""The periodic work of streaming: the lease, and hearing what other processes did."""

import asyncio
import contextlib
import operator
import sqlite3
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.utils import timezone

from aegis_project import database
from aegis_project.database import read_db, run_db
from aegis_project.database_url import TLS
from streaming import hints, metrics
from streaming.core.position import Position
from streaming.engines.base import Key
from streaming.hints import Hint
from streaming.hub import figures
from streaming.hub.hearsay import Hearsay
from streaming.hub.line import Line
from streaming.node import Job, Node
from streaming.selectors import audit
from streaming.services import idempotency, leases, listing, reports, sealing, strains


class LeaseJob:
    """Renew the lease of this process."""

    name = "lease"
    period_seconds = float(leases.RENEW_SECONDS)

    async def run(self, node: Node) -> None:
        """Renew it once; a row that somebody removed is taken anew."""
        if node.lease_id is not None and not await run_db(leases.renew, lease_id=node.lease_id):
            metrics.lease_losses.inc()
            node.lease_id = (await run_db(leases.take, url=node.url)).pk

    def wants(self, hint: Hint) -> bool:
        return False


class ListingJob:
    """Write behind which topics this process holds, and how far they are."""

    name = "listing"
    period_seconds = 2.0

    def __init__(self) -> None:
        self._written: dict[Key, tuple[int, Position]] = {}

    async def run(self, node: Node) -> None:
        """Write what moved since the last time."""
        held = {key: (start, end) for key, start, end in node.hub.held()}
        moved = [(key, *at) for key, at in held.items() if self._written.get(key) != at]
        if moved:
            await run_db(listing.write, moved)
        self._written = held

    def wants(self, hint: Hint) -> bool:
        return False


class ReportsJob:
    """
    Look at the topics held here, and exchange what is seen with other processes.

    Nothing is written while this process is alone.
    """

    name = "reports"
    period_seconds = 2.0

    def __init__(self) -> None:
        self._written: dict[str, bytes] = {}
        self._told = Hearsay()

    async def run(self, node: Node) -> None:
        """Look once; write what changed and read what others wrote, if there are others."""
        at = asyncio.get_running_loop().time()
        watch = node.hub.watch
        for _ in watch.looking(node.hub, at=at):
            await asyncio.sleep(0)
        lease_id = node.lease_id
        if lease_id is None or await read_db(reports.is_alone, lease_id=lease_id):
            self._written = {}
            watch.told({}, missing=0)
            return
        bodies, seen = {}, {}
        for key, body, still in watch.encoded(node.hub, at=at):
            seen[key] = still
            if self._written.get(key) != still:
                bodies[key] = body
            await asyncio.sleep(0)
        await run_db(reports.write, lease_id=lease_id, bodies=bodies, held=set(seen))
        self._written = seen
        told, missing = await read_db(reports.read, lease_id=lease_id)
        watch.told(self._told.take(told, now=timezone.now()), missing=missing)

    def wants(self, hint: Hint) -> bool:
        return False


class ForgetJob:
    """Remove what nobody asks for again: answers to idempotency keys, what was counted."""

    name = "forget"
    period_seconds = 60.0

    async def run(self, node: Node) -> None:
        """Remove some; what is left has its turn next time."""
        await run_db(idempotency.forget)
        await run_db(strains.forget)

    def wants(self, hint: Hint) -> bool:
        return False


class SealerJob:
    """Put what was written into the audit into its hash chain, while no other process does."""

    name = "sealer"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Seal a slice; where there is more, its turn comes at once, behind the commands that wait."""
        if node.lease_id is None or not await read_db(audit.has_unsealed):
            return
        if await run_db(sealing.seal, lease_id=node.lease_id) == sealing.BATCH:
            node.hurry(self.name)

    def wants(self, hint: Hint) -> bool:
        return False


class FiguresJob:
    """
    Count what the hub did since the last turn, and look at the pool of connections.

    The hub counts for itself, in plain numbers: what it does most often may not wait for a lock.
    """

    name = "figures"
    period_seconds = 2.0

    def __init__(self) -> None:
        self._seen: dict[Key, Counts] = {}
        self._flushed = (0, 0.0)

    async def run(self, node: Node) -> None:
        """Count once."""
        hub = node.hub
        metrics.sockets.labels("data").set(hub.figures().connections)
        self._count_lines(list(hub.board.lines.items()))
        self._count_flushes(hub.flusher.flushes, hub.flusher.seconds)
        for state, count in (await read_db(database.pool_figures)).items():
            metrics.connections.labels(state).set(count)

    def _count_lines(self, lines: list[tuple[Key, Line]]) -> None:
        seen = {key: counts(line) for key, line in lines}
        for key, now in seen.items():
            before = self._seen.get(key, NOTHING)
            # A topic that was opened again counts from nothing.
            before = before if all(map(operator.le, before, now)) else NOTHING
            for counter, old, new in zip(COUNTERS, before, now, strict=True):
                counter.inc(new - old)
        self._seen = seen
        metrics.topics.set(len(lines))
        metrics.lag.set(max((figures.of_line(line).lag for _, line in lines), default=0))

    def _count_flushes(self, flushes: int, seconds: float) -> None:
        before, self._flushed = self._flushed, (flushes, seconds)
        metrics.flushes.inc(flushes - before[0])
        metrics.flush_time.inc(seconds - before[1])

    def wants(self, hint: Hint) -> bool:
        return False


Counts = tuple[int, int, int, int]
NOTHING: Counts = (0, 0, 0, 0)
COUNTERS = (metrics.published, metrics.deliveries, metrics.gaps, metrics.dropped)


def counts(line: Line) -> Counts:
    """What one topic has counted since it was opened."""
    found = line.counters
    return found.published, found.deliveries, found.gaps, found.dropped


class SqliteHints:
    """
    See that another connection wrote to the SQLite file, which has no way to say what.

    The pragma reads one word of shared memory, so it is asked on the loop itself.
    """

    name = "hints"
    period_seconds = 0.1

    async def run(self, node: Node) -> None:
        """Compare the file's version with the one seen before, as long as the node lives."""
        name = str(connection.settings_dict["NAME"])
        with contextlib.closing(sqlite3.connect(name, check_same_thread=False)) as file:
            seen = None
            while True:
                version = file.execute("PRAGMA data_version").fetchone()[0]
                if version != seen:
                    # The first time, too: whatever was done while nobody looked is found so.
                    hints.deliver(Hint("moved"))
                seen = version
                await asyncio.sleep(self.period_seconds)

    def wants(self, hint: Hint) -> bool:
        return False


class PostgresHints:
    """Listen to the notifications of other processes on a connection of its own."""

    name = "hints"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Listen until the connection breaks; the node calls again a second later."""
        found = await psycopg.AsyncConnection.connect(**parameters(), autocommit=True)
        async with found:
            await found.execute(f"LISTEN {hints.CHANNEL}")
            # Whatever was said while nobody listened is found by looking at everything.
            hints.deliver(Hint("moved"))
            async for notification in found.notifies():
                hint = hints.read(notification.payload)
                if hint is not None:
                    hints.deliver(hint)

    def wants(self, hint: Hint) -> bool:
        return False


class LayerHints:
    """Hear other processes over the channel layer, which finds its way back to Valkey by itself."""

    name = "hints"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Listen as long as the node lives."""
        layer = hints.layer()
        try:
            own = await layer.new_channel()
            await layer.group_add(hints.CHANNEL, own)
            hints.leave_on(asyncio.get_running_loop())
            hints.deliver(Hint("moved"))
            while True:
                for payload in (await layer.receive(own))["hints"]:
                    hint = hints.read(payload)
                    if hint is not None:
                        hints.deliver(hint)
        finally:
            hints.leave_on(None)
            await layer.flush()

    def wants(self, hint: Hint) -> bool:
        return False


def parameters() -> dict[str, Any]:
    """How Django connects, as psycopg takes it."""
    found = connection.get_connection_params()
    wanted = ("host", "port", "user", "password", "dbname", *TLS)
    return {name: found[name] for name in wanted if found.get(name)}


def hint_receiver() -> Job:
    """The job that hears other processes: over Valkey, or as this database has a way to."""
    if settings.ENVIRONMENT.redis_url:
        return LayerHints()
    return PostgresHints() if connection.vendor == "postgresql" else SqliteHints()
