import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from aegis_project import database
from sessions.models import Session
from streaming.core import position
from streaming.models import Event, Log
from streaming.services import ledger
from streaming.signals import Published, published
from tests import factories, threads

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return factories.session()


def write(session: Session, number: int = 0, **data: Any) -> Event:
    with database.atomic():
        return ledger.append(
            session_id=session.pk, type="test.written", actor="test", number=number, **data
        )


def log_of(session: Session) -> Log:
    return Log.objects.ledger_of(session.pk).get()


class Undone(Exception):
    """What a caller raises after it wrote."""


def write_and_undo(session: Session, number: int = 0, **data: Any) -> None:
    with database.atomic():
        write(session, number, **data)
        raise Undone


# What an event is


def test_the_body_is_the_event_as_every_reader_gets_it(session: Session):
    with time_machine.travel(datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC), tick=False):
        event = ledger.append(
            session_id=session.pk,
            type="test.written",
            actor="user:anna",
            cause="event:1",
            text="é",
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    assert json.loads(event.body) == {
        "seq": 2,
        "type": "test.written",
        "ts": "2026-01-01T12:00:00.123456Z",
        "actor": "user:anna",
        "cause": "event:1",
        "data": {"text": "é", "at": "2026-01-01T00:00:00Z"},
    }
    assert (event.seq, event.type, event.actor, event.cause) == (
        2,
        "test.written",
        "user:anna",
        "event:1",
    )


def test_the_chain_goes_from_the_epoch_over_every_body(session: Session):
    for number in range(3):
        write(session, number)

    log, ck = log_of(session), position.genesis("ledger", log_of(session).epoch)
    for seq, event in enumerate(factories.ledger(session), start=1):
        ck = position.chain(ck, seq, event.body.encode())
        assert (event.seq, event.ck) == (seq, ck.hex())
    assert (log.start, log.head, log.ck) == (1, 4, ck.hex())


def test_two_ledgers_have_nothing_in_common(session: Session):
    other = factories.session()

    write(session)

    assert (log_of(session).head, log_of(other).head) == (2, 1)
    assert log_of(session).epoch != log_of(other).epoch


# No gaps


def test_what_was_rolled_back_leaves_no_gap(session: Session):
    write(session, 1)
    with pytest.raises(Undone):
        write_and_undo(session)
    write(session, 2)

    assert factories.events(session) == ["session.created", "test.written", "test.written"]
    assert [event.seq for event in factories.ledger(session)] == [1, 2, 3]
    assert ledger.chain_is_sound(log_of(session))


def test_what_was_rolled_back_within_a_transaction_leaves_no_gap(session: Session):
    with database.atomic():
        write(session, 1)
        with pytest.raises(Undone):
            write_and_undo(session)
        write(session, 2)

    assert factories.events(session) == ["session.created", "test.written", "test.written"]
    assert ledger.chain_is_sound(log_of(session))


@pytest.mark.django_db(transaction=True)
def test_twenty_writers_at_once_leave_no_gap():
    session = factories.session()

    def write_ten(writer: int) -> None:
        for number in range(10):
            if number % 3 < 2:
                write(session, number, writer=writer)
            else:
                with contextlib.suppress(Undone):
                    write_and_undo(session, number, writer=writer)

    found = threads.together([partial(write_ten, writer) for writer in range(20)])

    told = [data for type_, data in factories.told(session) if type_ == "test.written"]
    assert found == [None] * 20
    assert [event.seq for event in factories.ledger(session)] == list(range(1, 142))
    for writer in range(20):
        numbers = [one["number"] for one in told if one["writer"] == writer]
        assert numbers == [0, 1, 3, 4, 6, 7, 9]
    assert ledger.chain_is_sound(log_of(session))


def test_several_events_are_written_like_one_after_the_other(session: Session):
    told = [("test.written", {"number": number}) for number in range(3)]

    events = ledger.extend(session_id=session.pk, actor="test", told=told)

    assert factories.told(session)[1:] == told
    assert [event.seq for event in events] == [2, 3, 4]
    assert ledger.chain_is_sound(log_of(session))


# Soundness


def test_a_ledger_as_it_was_written_is_sound(session: Session):
    write(session)

    assert ledger.chain_is_sound(log_of(session))


@pytest.mark.parametrize("fault", ["body", "ck", "seq", "middle", "last", "head", "extra"])
def test_a_ledger_that_somebody_touched_is_not_sound(session: Session, fault: str):
    for number in range(3):
        write(session, number)
    log = log_of(session)
    second = Event.objects.get(log=log, seq=2)
    match fault:
        case "body":
            Event.objects.filter(pk=second.pk).update(body=second.body.replace("test", "best"))
        case "ck":
            Event.objects.filter(pk=second.pk).update(ck="0" * 16)
        case "seq":
            Event.objects.filter(log=log, seq=4).update(seq=5)
        case "middle":
            second.delete()
        case "last":
            Event.objects.filter(log=log, seq=4).delete()
        case "head":
            Log.objects.filter(pk=log.pk).update(head=5)
        case _:
            second.pk, second.seq = None, 5
            second.save()

    assert not ledger.chain_is_sound(log_of(session))


# Announcing


@pytest.fixture
def heard() -> Iterator[list[Published]]:
    found: list[Published] = []

    def hear(*, event: Published, **_: Any) -> None:
        found.append(event)

    published.connect(hear, weak=False)
    yield found
    published.disconnect(hear)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_announced_after_its_commit_and_not_before(heard: list[Published]):
    session = factories.session()
    heard.clear()

    with database.atomic():
        write(session, 7)
        before = list(heard)

    assert before == []
    assert heard == [
        Published(session_id=str(session.pk), seq=2, type="test.written", data={"number": 7})
    ]


def test_events_of_one_transaction_follow_each_other_past_what_was_undone_in_it(session: Session):
    def undo(write_: Any) -> None:
        with contextlib.suppress(Undone):
            write_()

    def undone_by_django() -> None:
        with transaction.atomic():
            ledger.append(session_id=session.pk, type="test.written", actor="test", number=5)
            raise Undone

    with database.atomic():
        write(session, 1)
        undo(partial(write_and_undo, session, 2))
        write(session, 3)
        undo(undone_by_django)
        write(session, 6)

    numbers = [json.loads(one.body)["data"].get("number") for one in factories.ledger(session)]
    assert numbers[1:] == [1, 3, 6]
    assert ledger.chain_is_sound(log_of(session))


@pytest.mark.django_db(transaction=True)
def test_the_head_of_a_ledger_is_read_once_in_a_transaction(session: Session):
    with CaptureQueriesContext(connection) as captured, database.atomic():
        for number in range(3):
            ledger.append(session_id=session.pk, type="t", actor="test", number=number)

    asked = [one["sql"] for one in captured.captured_queries]
    assert sum('FROM "aegis_streaming_log"' in one for one in asked) == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_never_announced(heard: list[Published]):
    session = factories.session()
    heard.clear()

    with pytest.raises(Undone):
        write_and_undo(session)

    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_undoes_nothing_and_stops_nobody(
    heard: list[Published], caplog: pytest.LogCaptureFixture
):
    def fail(**_: Any) -> None:
        raise Undone

    session = factories.session()
    published.connect(fail, weak=False)
    try:
        write(session)
    finally:
        published.disconnect(fail)

    assert factories.events(session)[-1] == "test.written"
    assert heard[-1].type == "test.written"
    assert "Error calling" in caplog.text
