"""What the socket of the bus reads: the sessions that are made and over, each once."""

from typing import Any

import pytest
from django.db import connection

from aegis_project.database import atomic
from aegis_project.kit.principal import Principal
from sessions.core.lifecycle import State
from sessions.dialects.bus.tail import Tail
from sessions.models import Session
from sessions.services import lifecycle
from tests import factories, threads

pytestmark = [pytest.mark.dialects, pytest.mark.django_db(transaction=True)]


def begun(principal: Principal = factories.OPERATOR, **options: Any) -> Tail:
    tail = Tail(principal, **options)
    tail.begin()
    return tail


def told(tail: Tail) -> list[tuple[str, str]]:
    return [(event.type, event.data["sessionId"]) for event in tail.look()]


def test_what_happens_is_told_once_and_in_order():
    before = factories.session()
    tail = begun()

    first, second = factories.session(), factories.session_in(State.COMPLETED)
    once = told(tail)
    lifecycle.end(principal=factories.OPERATOR, session=before)
    then = told(tail)

    assert once == [
        ("session_created", str(first.pk)),
        ("session_created", str(second.pk)),
        ("session_ended", str(second.pk)),
    ]
    assert then == [("session_ended", str(before.pk))]
    assert told(tail) == []


def test_a_new_session_is_told_as_it_stands():
    tail = begun()
    made = factories.session_in(State.RUNNING, owner_label="ai-claude")

    (event,) = tail.look()

    assert event.data | {"created": "", "lastActive": ""} == {
        "sessionId": str(made.pk),
        "id": str(made.pk),
        "type": "development",
        "owner": "ai-claude",
        "created": "",
        "lastActive": "",
        "isActive": True,
        "aegisState": "running",
        "conditions": [],
    }


def test_what_is_deleted_is_over():
    made = factories.session()
    tail = begun()

    lifecycle.delete(principal=factories.OPERATOR, session=made)

    assert told(tail) == [("session_ended", str(made.pk))]


def test_what_others_do_is_not_told():
    team = factories.team("mine")
    mine, bound = begun(factories.member(team)), factories.session(team="mine")
    alone = begun(factories.bearer(bound))

    factories.session()
    other = factories.session(team="mine")
    lifecycle.end(principal=factories.OPERATOR, session=bound)

    assert told(mine) == [
        ("session_created", str(bound.pk)),
        ("session_created", str(other.pk)),
        ("session_ended", str(bound.pk)),
    ]
    assert told(alone) == [("session_ended", str(bound.pk))]


def test_what_is_committed_late_is_told_late():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets one transaction write at a time")
    factories.team("default")
    tail = begun()

    with atomic():
        late = factories.session(owner_label="late")
        with threads.beside(lambda: str(factories.session().pk)) as made:
            early = made()
        with threads.beside(lambda: told(tail)) as seen:
            before = seen()

    assert before == [("session_created", early)]
    assert told(tail) == [("session_created", str(late.pk))]
    assert told(tail) == []


def test_a_reader_keeps_only_what_it_may_see_again():
    tail = begun(overlap_seconds=0)

    for _ in range(5):
        factories.session()
        assert len(tail.look()) == 1

    assert len(tail._marks) <= 2
    assert len(tail._told) <= 1
    assert Session.objects.count() == 5
