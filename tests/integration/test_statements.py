from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from aegis_project import statements
from sessions.models import Message, Session
from streaming.models import Event, Log
from tests import factories

pytestmark = pytest.mark.django_db


def test_what_is_inserted_is_what_save_would_have_written():
    session = factories.session()
    plain = Message(session=session, place=1, content="a'b %s", metadata={"x": [1, None]})
    plain.save()
    written = Message(session=session, place=2, content="a'b %s", metadata={"x": [1, None]})

    statements.insert(written)

    names = [field.attname for field in Message._meta.concrete_fields]
    first, second = Message.objects.order_by("place").values(*names)
    own = {"id", "place", "created_at", "updated_at"}
    assert {n: v for n, v in first.items() if n not in own} == {
        n: v for n, v in second.items() if n not in own
    }
    assert (second["id"], second["created_at"]) == (written.pk, written.created_at)
    assert written.updated_at == second["updated_at"]
    assert not written._state.adding


def test_what_is_new_is_as_its_class_makes_it():
    session = factories.session()
    given: dict[str, Any] = {"session": session, "place": 1, "metadata": {"x": 1}}

    made = statements.new(Message, **given)

    plain = Message(**given)
    own = {"id", "created_at", "_state"}
    assert {n: v for n, v in vars(made).items() if n not in own} == {
        n: v for n, v in vars(plain).items() if n not in own
    }
    assert made.pk is not None
    assert made.created_at is not None
    assert (made.session, made._state.adding) == (session, True)


def test_what_is_new_shares_nothing_with_another():
    first, second = statements.new(Message), statements.new(Message)

    assert first.pk != second.pk
    assert first.metadata == second.metadata == {}
    assert first.metadata is not second.metadata


def test_a_key_that_the_database_makes_is_known():
    log = Log(session=factories.session(), name="runs.x", epoch="e", ck="c")

    statements.insert(log)

    assert Log.objects.get(name="runs.x") == log


def test_rows_are_inserted_together():
    log = Log.objects.create(session=factories.session(), name="runs.x", epoch="e", ck="c")
    now = log.created_at
    rows = [Event(log=log, seq=seq, ck="c", ts=now, type="t", body="{}") for seq in (1, 2)]

    with CaptureQueriesContext(connection) as captured:
        statements.insert_all(rows)

    assert list(log.events.order_by("seq").values_list("seq", "ts")) == [(1, now), (2, now)]
    assert len(captured.captured_queries) == 1


def test_only_the_named_fields_are_written():
    session = factories.session(name="before")
    session.name, session.reason, session.memory = "after", "not written", {"a": None}

    statements.update(session, "name", "memory")

    row = Session.objects.get(pk=session.pk)
    assert (row.name, row.reason, row.memory) == ("after", "", {"a": None})


def test_a_row_that_is_gone_is_not_written():
    with pytest.raises(Session.DoesNotExist):
        statements.update(Session(pk=uuid4(), name="x"), "name")


def test_the_rules_of_the_database_hold():
    log = Log.objects.create(session=factories.session(), name="runs.x", epoch="e", ck="c")

    with pytest.raises(IntegrityError), transaction.atomic():
        statements.insert(Log(session=log.session, name="runs.x", epoch="e", ck="c"))
