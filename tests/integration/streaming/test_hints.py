import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from django.db import connection

from aegis_project import database
from aegis_project.database import run_db
from sessions.core.lifecycle import State
from sessions.services import lifecycle
from streaming import hints
from streaming.hints import Hint
from streaming.hub import Hub
from streaming.jobs import hint_receiver
from streaming.node import Node
from tests import elsewhere, factories, threads, waiting
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)

MOVED = Hint("lever", "s")


class Undone(Exception):
    """What a caller raises after it sent a hint."""


@pytest.fixture
def heard() -> Iterator[list[Hint]]:
    found: list[Hint] = []
    hints.listen(found.append)
    yield found
    hints.unlisten(found.append)


# Within one process


def test_a_hint_is_heard_after_the_commit_and_not_before(heard: list[Hint]):
    with database.atomic():
        hints.send(MOVED)
        before = list(heard)

    assert (before, heard) == ([], [MOVED])


def test_a_hint_of_what_was_rolled_back_is_never_heard(heard: list[Hint]):
    def send_and_undo() -> None:
        with database.atomic():
            hints.send(MOVED)
            raise Undone

    with database.atomic():
        with pytest.raises(Undone):
            send_and_undo()
        hints.send(Hint("ledger", "s"))

    assert heard == [Hint("ledger", "s")]


def test_a_hint_outside_of_a_transaction_is_heard_at_once(heard: list[Hint]):
    hints.send(MOVED)

    assert heard == [MOVED]


def test_who_stopped_listening_hears_nothing(heard: list[Hint]):
    hints.unlisten(heard.append)
    hints.unlisten(heard.append)

    hints.send(MOVED)

    assert heard == []


def test_a_listener_that_fails_undoes_nothing(caplog: pytest.LogCaptureFixture):
    def fail(_: Hint) -> None:
        raise Undone

    hints.listen(fail)
    try:
        session = factories.session()
    finally:
        hints.unlisten(fail)

    assert factories.events(session) == ["session.created"]
    assert "Undone" in caplog.text


# Notifications


def notification(*, sender: str = "other", kind: str = "lever", key: str = "s") -> str:
    return f"{sender} {kind} {key}"


@pytest.mark.parametrize("kind", sorted(hints.KINDS))
def test_a_notification_of_another_process_is_its_hint(kind: str):
    assert hints.read(notification(kind=kind)) == Hint(kind, "s")  # type: ignore[arg-type]


def test_what_this_process_said_itself_is_no_news():
    assert hints.read(hints.write(MOVED)) is None


@pytest.mark.parametrize("payload", ["", "other", "other ", "other rumour s", "lever s"])
def test_a_notification_that_is_none_of_ours_is_no_hint(payload: str):
    assert hints.read(payload) is None


# Waiting


def test_waiting_for_what_is_true_already_takes_no_time():
    assert hints.wait_until(lambda: True, timeout_seconds=0)


def test_waiting_ends_with_its_time():
    assert not hints.wait_until(lambda: False, timeout_seconds=0)


def test_a_waiting_thread_asks_again_at_a_hint():
    session = factories.session()
    asked = []

    def is_running() -> bool:
        session.refresh_from_db()
        asked.append(session.state)
        return session.state == "running"

    def start_once_asked() -> None:
        waiting.block_until(lambda: bool(asked))
        lifecycle.start(principal=OPERATOR, session=session.pk)

    with threads.beside(start_once_asked):
        assert hints.wait_until(is_running, timeout_seconds=30)

    assert asked[0] == "created"


def test_a_waiting_thread_holds_no_connection_of_postgresql():
    held = []

    def is_true() -> bool:
        held.append(connection.connection is not None)
        return len(held) == 2

    factories.team("any")
    hints.wait_until(is_true, timeout_seconds=30)

    assert held == [True, connection.vendor == "sqlite"]


# Between two processes


@asynccontextmanager
async def node_that_hears(heard: list[Hint]) -> AsyncIterator[None]:
    """A node that listens to other processes, once it does and nothing more comes."""
    node = Node(hub=Hub(), jobs=[hint_receiver()])
    await node.start()
    try:
        await waiting.until(lambda: Hint("moved") in heard)
        yield
    finally:
        await node.stop()


async def forget_what_was_done_here(heard: list[Hint]) -> None:
    # SQLite does not say who wrote: what is heard after this, of one more write, is of others.
    heard.clear()
    await run_db(factories.team, "any")
    if connection.vendor == "sqlite":
        await waiting.until(lambda: Hint("moved") in heard)
    heard.clear()


def test_whoever_waits_for_one_thing_asks_nothing_while_others_move():
    asked: list[bool] = []

    def is_true() -> bool:
        asked.append(True)
        if len(asked) == 1:
            for _ in range(20):
                hints.deliver(Hint("run", "another"))
            hints.deliver(MOVED)
        return len(asked) == 2

    assert hints.wait_for(is_true, about={MOVED}, timeout_seconds=30)
    assert len(asked) == 2


def test_a_wait_for_what_does_not_come_ends():
    assert not hints.wait_for(lambda: False, about={MOVED}, timeout_seconds=0)


async def test_what_another_process_committed_is_heard_here(heard: list[Hint]):
    session = await run_db(factories.session_in, State.RUNNING)
    key = str(session.pk)

    with elsewhere.ready("pause", key) as other:
        async with node_that_hears(heard):
            await forget_what_was_done_here(heard)
            other.go()
            await waiting.until(lambda: bool({Hint("lever", key), Hint("moved")} & set(heard)))

        assert other.answer() == "paused"

    if connection.vendor == "postgresql":
        assert {Hint("lever", key), Hint("ledger", key)} <= set(heard)


async def test_a_start_here_is_waited_for_by_a_thread_while_others_settle_it(heard: list[Hint]):
    session = await run_db(factories.session_in, State.RUNNING)

    def is_paused() -> bool:
        session.refresh_from_db()
        connection.close()
        return session.state == "paused"

    with elsewhere.ready("pause", str(session.pk)) as other:
        async with node_that_hears(heard):
            paused = asyncio.create_task(
                asyncio.to_thread(hints.wait_until, is_paused, timeout_seconds=30)
            )
            other.go()

            assert await paused
