import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from aegis_project import database
from aegis_project.database import read_db, run_db
from streaming.models import Log
from streaming.services import ledger
from tests import elsewhere, factories, threads

pytestmark = pytest.mark.django_db(transaction=True)


class Undone(Exception):
    """What a caller raises after it wrote."""


def make(name: str) -> None:
    Group.objects.create(name=name)


def names() -> set[str]:
    return set(Group.objects.values_list("name", flat=True)) - {"default"}


def make_and_undo(name: str) -> None:
    with database.atomic():
        make(name)
        raise Undone


# Transactions


def test_a_transaction_that_fails_leaves_nothing():
    with pytest.raises(Undone):
        make_and_undo("gone")

    assert names() == set()


def test_a_transaction_within_another_undoes_its_own_part_only():
    with database.atomic():
        make("before")
        with pytest.raises(Undone):
            make_and_undo("gone")
        make("after")

    assert names() == {"before", "after"}


def test_a_transaction_that_django_opened_takes_no_other_lock():
    # The admin opens its own; were the process-wide lock asked for inside, both would wait.
    has_begun, is_waiting = threading.Event(), threading.Event()

    def write() -> None:
        has_begun.wait(timeout=30)
        is_waiting.set()
        with database.atomic():
            make("beside")

    with threads.beside(write), transaction.atomic():
        make("outer")
        has_begun.set()
        is_waiting.wait(timeout=30)
        with database.atomic():
            make("inner")

    assert names() == {"outer", "inner", "beside"}


def test_eight_writers_at_once_wait_for_each_other():
    session = factories.session()

    def write() -> None:
        for _ in range(25):
            with database.atomic():
                # Reads before it writes, which a deferred transaction of SQLite would not survive.
                log = Log.objects.select_for_update().get(session=session)
                log.start += 1
                log.save(update_fields=["start"])

    found = threads.together([write] * 8)

    assert found == [None] * 8
    assert Log.objects.get(session=session).start == 201


def test_processes_and_threads_that_write_at_once_all_write():
    session = factories.session()
    key = str(session.pk)

    def write() -> None:
        for number in range(25):
            with database.atomic():
                ledger.append(session_id=key, type="test.written", actor="test", number=number)

    with elsewhere.ready("write", key, "4", "25") as others:
        others.go()
        found = threads.together([write] * 4)

        assert (found, others.answer()) == ([None] * 4, "written by 4 of 4")
    log = Log.objects.get(session=session)
    assert log.head == 1 + 8 * 25
    assert ledger.chain_is_sound(log)


# The end of a transaction


@pytest.fixture
def calls() -> list[list[str]]:
    return []


def test_what_is_collected_is_called_once_at_the_end_of_the_outermost(calls: list[list[str]]):
    with database.atomic():
        database.before_commit(calls.append, "a")
        with database.atomic():
            database.before_commit(calls.append, "b")
            database.before_commit(calls.append, "a")
        inside = list(calls)

    assert (inside, calls) == ([], [["a", "b"]])


def test_what_is_called_at_the_end_belongs_to_the_transaction():
    def make_and_fail(found: list[str]) -> None:
        make(found[0])
        raise Undone

    def collect() -> None:
        with database.atomic():
            database.before_commit(make_and_fail, "gone")

    with pytest.raises(Undone):
        collect()

    assert names() == set()


def test_a_transaction_that_fails_calls_nothing_and_the_next_begins_anew(calls: list[list[str]]):
    def collect_and_fail() -> None:
        with database.atomic():
            database.before_commit(calls.append, "gone")
            raise Undone

    with pytest.raises(Undone):
        collect_and_fail()
    with database.atomic():
        database.before_commit(calls.append, "kept")

    assert calls == [["kept"]]


def test_outside_of_a_transaction_the_call_is_made_at_once(calls: list[list[str]]):
    database.before_commit(calls.append, "a")

    assert calls == [["a"]]


def test_threads_collect_for_themselves(calls: list[list[str]]):
    with database.atomic():
        database.before_commit(calls.append, "here")
        if connection.vendor == "postgresql":
            with threads.beside(lambda: database.before_commit(calls.append, "there")) as result:
                result()

    assert calls[-1] == ["here"]


# The seam


def this_connection() -> BaseDatabaseWrapper:
    connection.ensure_connection()
    return connections["default"]


async def test_the_seam_gives_back_what_a_call_returns_or_raises():
    assert await run_db(int, "11", base=2) == 3
    with pytest.raises(Undone):
        await run_db(make_and_undo, "gone")
    assert await read_db(names) == set()


async def test_what_one_call_wrote_the_next_one_reads():
    await run_db(make, "mine")

    assert await read_db(names) == {"mine"}


@pytest.mark.parametrize(("seam", "on_sqlite"), [(run_db, 1), (read_db, database.SQLITE_READERS)])
async def test_the_threads_of_the_seam_are_bounded(seam: Callable[..., Any], on_sqlite: int):
    size = on_sqlite if connection.vendor == "sqlite" else database.POSTGRESQL_THREADS
    gate = threading.Barrier(size)

    def meet() -> int:
        # As many as there may be meet here; one more would break the last barrier.
        gate.wait(timeout=30)
        return threading.get_ident()

    found = await asyncio.gather(*(seam(meet) for _ in range(size * 3)))

    assert len(set(found)) == size
    assert not gate.broken


async def test_a_read_never_waits_for_a_writer():
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with database.atomic():
            make("slow")
            begun.set()
            may_end.wait(timeout=30)

    writing = asyncio.create_task(run_db(write))
    await asyncio.to_thread(begun.wait, 30)
    during = await read_db(names)
    may_end.set()
    await writing

    assert (during, await read_db(names)) == (set(), {"slow"})


async def test_no_thread_of_the_seam_holds_a_connection_of_postgresql_while_idle():
    held = [await seam(this_connection) for seam in (run_db, read_db)]

    is_open = [one.connection is not None for one in held]
    assert is_open == [connection.vendor == "sqlite"] * 2


async def test_a_call_that_failed_leaves_its_thread_usable():
    def break_the_connection() -> None:
        with database.atomic():
            make("gone")
            connection.close()
            raise Undone

    for _ in range(database.POSTGRESQL_THREADS + 1):
        with pytest.raises(Undone):
            await run_db(break_the_connection)

    await run_db(make, "after")
    assert await read_db(names) == {"after"}


async def test_closed_pools_leave_no_thread_and_no_connection_and_come_again():
    held = [await seam(this_connection) for seam in (run_db, read_db)]

    await asyncio.to_thread(database.close_pools)

    assert [one.connection for one in held] == [None, None]
    # Others of the process have pools that hold no connection, and stay.
    pools = ("aegis-write", "aegis-read", "aegis-database")
    assert [one.name for one in threading.enumerate() if one.name.startswith(pools)] == []
    assert await run_db(partial(int, "7")) == 7
