"""The one seam between threads, the event loop and the database."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

POSTGRESQL_THREADS = 6
SQLITE_READERS = 2

# SQLite lets one connection write at a time. Waiting here costs a lock; waiting in SQLite costs
# a busy loop with growing pauses, and writers that came first may be served last.
_writing = threading.RLock()


class _Last(threading.local):
    """What this thread does at the end of its transaction; None outside of one."""

    calls: dict[Callable[[list[str]], None], dict[str, None]] | None = None


_last = _Last()
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


def before_commit(call: Callable[[list[str]], None], item: str) -> None:
    """
    Collect ``item`` for one ``call`` at the end of the outermost :func:`atomic` of this thread.

    Each item is there once, in the order in which they came, also those of a savepoint that was
    rolled back. Outside of any transaction the call is made at once.
    """
    if _last.calls is None:
        call([item])
    else:
        _last.calls.setdefault(call, {})[item] = None


@contextmanager
def _ending() -> Iterator[None]:
    if _last.calls is not None:
        yield
        return
    calls = _last.calls = {}
    try:
        yield
        for call, items in calls.items():
            call(list(items))
    finally:
        _last.calls = None


async def run_db(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a sync function that may write in the bounded pool of threads that hold connections."""
    return await _run("write", partial(call, *args, **kwargs))


async def read_db(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a sync function that only reads; on SQLite it never waits behind a writer."""
    return await _run("read", partial(call, *args, **kwargs))


async def _run(kind: str, call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_pool(kind), _with_connection, call)


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
