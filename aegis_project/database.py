"""The one seam between threads, the event loop and the database."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

POSTGRESQL_THREADS = 6
SQLITE_READERS = 2

# SQLite lets one connection write at a time. Waiting here costs a lock; waiting in SQLite costs
# a busy loop with growing pauses, and writers that came first may be served last.
_writing = threading.RLock()


class _Open(threading.local):
    """
    Of this thread's transaction: what is done at its end, and what it keeps in memory.

    Both are None outside of one.
    """

    calls: dict[Callable[[list[str]], None], dict[str, None]] | None = None
    kept: dict[Hashable, tuple[tuple[Any, ...], Any]] | None = None


_open = _Open()
_pools: dict[str, tuple[ThreadPoolExecutor, int]] = {}
_pools_lock = threading.Lock()


@contextmanager
def atomic() -> Iterator[None]:
    """
    A write transaction; inside an open one it is a savepoint of it.

    On SQLite the outermost one holds the process-wide write lock until it is committed.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with _writing, transaction.atomic(), _ending():
            yield
    else:
        with transaction.atomic(), _ending():
            yield


@contextmanager
def snapshot() -> Iterator[None]:
    """
    Read everything as it is at one moment, while others write; inside a transaction as that reads.

    Nothing can be written here.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # What Django begins is there to write, and would keep every other writer out.
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def before_commit(call: Callable[[list[str]], None], item: str) -> None:
    """
    Collect ``item`` for one ``call`` at the end of the outermost :func:`atomic` of this thread.

    Each item is there once, in the order in which they came, also those of a savepoint that was
    rolled back. Outside of any transaction the call is made at once.
    """
    if _open.calls is None:
        call([item])
    else:
        _open.calls.setdefault(call, {})[item] = None


def keep(name: Hashable, read: Callable[[], T]) -> T:
    """
    What ``read`` gave when it was first asked within the outermost :func:`atomic` of this thread.

    It is for rows that the transaction has locked and that nobody else writes here. It is read
    anew within a savepoint and behind one, which may have been rolled back, and outside of any
    transaction.
    """
    if _open.kept is None:
        return read()
    within = tuple(connection.savepoint_ids)
    if name not in _open.kept or _open.kept[name][0] != within:
        _open.kept[name] = within, read()
    found: T = _open.kept[name][1]
    return found


def forget(name: Hashable) -> None:
    """Read this anew when it is asked for again."""
    if _open.kept is not None:
        _open.kept.pop(name, None)


@contextmanager
def _ending() -> Iterator[None]:
    if _open.calls is not None:
        yield
        return
    calls = _open.calls = {}
    _open.kept = {}
    try:
        yield
        for call, items in calls.items():
            call(list(items))
    finally:
        _open.calls = _open.kept = None


async def run_db(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a sync function that may write in the bounded pool of threads that hold connections."""
    return await _run("write", partial(call, *args, **kwargs))


async def read_db(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a sync function that only reads; on SQLite it never waits behind a writer."""
    return await _run("read", partial(call, *args, **kwargs))


async def _run(kind: str, call: Callable[[], T]) -> T:
    # Who asks is known there too.
    within = contextvars.copy_context().run
    pool = _pool(kind)
    return await asyncio.get_running_loop().run_in_executor(pool, within, _with_connection, call)


def _with_connection(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        # Back to the pool of psycopg, which checks it; a lasting thread must not hold one while
        # idle. SQLite's stays open: opening it and its pragmas cost more than most queries.
        if connection.vendor != "sqlite":
            connection.close()


@cache
def _is_sqlite() -> bool:
    # Asked once: on the loop, Django would make every task that asks a connection of its own.
    return connection.vendor == "sqlite"


def _pool(kind: str) -> ThreadPoolExecutor:
    is_sqlite = _is_sqlite()
    name = kind if is_sqlite else "database"
    with _pools_lock:
        if name not in _pools:
            size = _size(kind) if is_sqlite else POSTGRESQL_THREADS
            _pools[name] = (ThreadPoolExecutor(size, thread_name_prefix=f"aegis-{name}"), size)
        return _pools[name][0]


def _size(kind: str) -> int:
    return 1 if kind == "write" else SQLITE_READERS


def pool_figures() -> dict[str, int]:
    """Connections of PostgreSQL's pool, used and idle, and who waits for one; none on SQLite."""
    pool = getattr(connection, "pool", None) if connection.vendor == "postgresql" else None
    if pool is None:
        return {}
    found = pool.get_stats()
    size, idle = found.get("pool_size", 0), found.get("pool_available", 0)
    return {"used": size - idle, "idle": idle, "waiting": found.get("requests_waiting", 0)}


def close_pools() -> None:
    """Let the threads of the pools finish and close their connections."""
    with _pools_lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool, size in pools:
        gate = threading.Barrier(size)
        for _ in range(size):
            pool.submit(_close, gate)
        pool.shutdown(wait=True)


def _close(gate: threading.Barrier) -> None:
    # The barrier gives each thread of the pool exactly one of these calls.
    gate.wait(timeout=10)
    connection.close()
