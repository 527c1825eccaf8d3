import os
import threading
import time
from functools import partial

import pytest
from django.db import connection

from aegis_project import database
from aegis_project.kit.errors import InvalidState
from components.models import Component
from components.services import registry, standing
from components.services.registry import Expected
from sessions.core.errors import SessionAlreadyExists
from sessions.models import Session
from sessions.services import lifecycle
from sessions.services.outcome import Outcome
from streaming.models import AuditEntry, Log
from streaming.services import ledger
from tests import factories, tables, threads
from tests.factories import OPERATOR

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

ROUNDS = 20 if os.environ.get("AEGIS_CI") else 1


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_a_hundred_starts_at_once_exactly_one_wins(turn: int):
    session = factories.session()

    outcomes = threads.together(
        [partial(lifecycle.start, principal=OPERATOR, session=session)] * 100
    )

    session.refresh_from_db()
    assert [type(one) for one in outcomes] == [Outcome] * 100
    assert sum(one.is_changed for one in outcomes) == 1
    assert (session.state, session.activation) == ("running", 1)
    assert factories.events(session) == ["session.created", "session.activated"]
    assert AuditEntry.objects.filter(command="session.start", outcome="ok").count() == 100


def test_of_a_hundred_starts_that_wait_exactly_one_asks():
    session = factories.session(expected=[Expected(name="feed")])

    outcomes = threads.together(
        [partial(lifecycle.start, principal=OPERATOR, session=session)] * 50
    )

    assert all(one.is_pending for one in outcomes)
    assert factories.events(session).count("session.start_requested") == 1


def test_commands_at_once_come_to_what_they_would_in_some_order():
    session = factories.session()
    arguments = {"fail": {"error": {"code": "TEST"}}}
    verbs = tables.LEVER * 5
    calls = [
        partial(
            getattr(lifecycle, verb),
            principal=OPERATOR,
            session=session,
            **arguments.get(verb, {}),
        )
        for verb in verbs
    ]

    outcomes = threads.together(calls)

    session.refresh_from_db()
    assert {type(one) for one in outcomes} <= {Outcome, InvalidState}
    done = [(verb, one) for verb, one in zip(verbs, outcomes, strict=True) if type(one) is Outcome]
    # A restart of a running session begins anew, and is running before and after.
    moves = [verb for verb, one in done if one.is_changed or verb == "restart"]
    assert session.version == 1 + len(moves)
    assert AuditEntry.objects.exclude(command="session.create").count() == len(calls)
    state = "created"
    for type_, data in factories.told(session)[1:]:
        if type_ != "error.occurred":
            assert data["from"] == state
            state = data.get("state", "running")
    assert state == session.state
    assert ledger.chain_is_sound(Log.objects.ledger_of(session.pk).get())


@pytest.mark.parametrize("command", ["complete", "end", "delete"])
def test_withdrawing_a_start_never_crosses_a_component_on_its_way_to_the_ledger(command: str):
    session = factories.session(expected=[Expected(name="feed")])
    feed = factories.joined(session, "feed")
    lifecycle.start(principal=OPERATOR, session=session)
    holds = threading.Event()

    def withdraw() -> Outcome:
        holds.wait(timeout=30)
        outcome: Outcome = getattr(lifecycle, command)(principal=OPERATOR, session=session)
        return outcome

    with threads.beside(withdraw) as result, database.atomic():
        Component.objects.locked(feed.pk)
        holds.set()
        wait_until_somebody_waits()
        standing.ready(component_id=str(feed.pk), fence=feed.fence)

    # PostgreSQL would have answered one of the two with a deadlock.
    assert result().previous in {"created", "running"}
    assert "component.ready" in factories.events(session)


def wait_until_somebody_waits() -> None:
    """Go on once another connection waits for a lock; on SQLite it waits outside of the database."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while connection.vendor == "postgresql":
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline, "Nobody waits for a lock."


def test_a_row_that_refers_to_a_locked_session_need_not_wait():
    session = factories.session()
    log = Log(session=session, name="trades.BTC", epoch="0" * 16, ck="0" * 16)
    is_locked = threading.Event()

    def list_a_topic() -> None:
        is_locked.wait(timeout=30)
        log.save()

    with threads.beside(list_a_topic) as result, database.atomic():
        Session.objects.locked(session.pk)
        is_locked.set()
        if connection.vendor == "postgresql":
            # Were the lock as strong as a deletion's, this would wait for its own end.
            result()

    assert Log.objects.filter(name="trades.BTC").exists()


def test_a_ready_and_a_start_at_once_leave_no_session_behind():
    for _ in range(10):
        session = factories.session(expected=[Expected(name="feed")])
        feed = factories.joined(session, "feed")

        outcomes = threads.together(
            [
                partial(lifecycle.start, principal=OPERATOR, session=session),
                partial(standing.ready, component_id=str(feed.pk), fence=feed.fence),
            ]
        )

        session.refresh_from_db()
        assert [type(one) for one in outcomes] == [Outcome, Component]
        assert (session.state, factories.states(session)) == ("running", {"feed": "running"})


def test_of_many_creates_with_one_key_exactly_one_wins():
    factories.team("default")

    made = threads.together([partial(factories.session, key="mine")] * 20)

    assert (
        sorted(type(one).__name__ for one in made)
        == ["Session"] + [SessionAlreadyExists.__name__] * 19
    )
    assert Session.objects.filter(key="mine").count() == 1


def test_registers_at_once_take_different_places():
    session = factories.session(expected=[Expected(name="a"), Expected(name="b")])
    call = partial(
        registry.register,
        principal=factories.bearer(session),
        registration=factories.registration(),
        lease_id=None,
    )

    made = threads.together([call] * 8)

    names = sorted(one.name for one in made)
    assert names == ["a", "b", *(f"component-{n}" for n in range(3, 9))]
    session.refresh_from_db()
    assert session.component_count == 8


def test_registers_of_one_component_at_once_get_different_fences():
    session = factories.session(expected=[Expected(name="feed")])
    feed = Component.objects.get(session=session)
    call = partial(
        registry.register,
        principal=factories.bearer(session, component=feed),
        registration=factories.registration(),
        lease_id=None,
    )

    made = threads.together([call] * 8)

    assert sorted(one.fence for one in made) == list(range(1, 9))


def test_two_settlings_at_once_run_a_session_once():
    session = factories.session(expected=[Expected(name="feed")])
    lifecycle.start(principal=OPERATOR, session=session)
    Component.objects.filter(session=session).update(state="ready")

    moved = threads.together([partial(lifecycle.settle, session_id=session.pk)] * 10)

    assert sorted(moved) == [False] * 9 + [True]
    assert factories.events(session).count("session.activated") == 1
