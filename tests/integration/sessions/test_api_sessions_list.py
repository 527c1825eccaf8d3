from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.models import Session
from sessions.selectors import lists
from streaming.selectors import pages
from tests import factories
from tests.calling import Caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"


def keys(response: Any) -> list[str]:
    return [one["key"] for one in response.json()["data"]]


def test_the_newest_come_first_page_by_page(program: Caller):
    made = [factories.session(key=f"k{number}").key for number in range(5)]

    pages, cursor = [], ""
    while True:
        answer = program.get(f"{SESSIONS}?limit=2&cursor={cursor}")
        pages.append(keys(answer))
        cursor = answer.json()["next"]
        if not cursor:
            break

    assert pages == [made[:2:-1], made[2:0:-1], [made[0]]]


def test_what_comes_meanwhile_neither_repeats_nor_hides(program: Caller):
    for number in range(4):
        factories.session(key=f"k{number}")
    first = program.get(f"{SESSIONS}?limit=2").json()
    factories.session(key="new")
    Session.objects.filter(key="k1").delete()

    second = program.get(f"{SESSIONS}?limit=2&cursor={first['next']}").json()

    assert [one["key"] for one in second["data"]] == ["k0"]


def test_sessions_of_one_moment_are_told_apart(program: Caller):
    at = timezone.now()
    for number in range(5):
        factories.session(key=f"k{number}")
    Session.objects.update(created_at=at)

    first = program.get(f"{SESSIONS}?limit=3&ordering=created_at").json()
    second = program.get(f"{SESSIONS}?ordering=created_at&cursor={first['next']}").json()

    found = [one["key"] for one in (*first["data"], *second["data"])]
    assert sorted(found) == [f"k{number}" for number in range(5)]


def test_the_order_can_be_by_activity(program: Caller):
    for number in range(3):
        factories.session(key=f"k{number}")
    Session.objects.filter(key="k0").update(last_activity_at=timezone.now() + timedelta(hours=1))

    found = program.get(f"{SESSIONS}?ordering=-last_activity_at&fields=key")

    assert keys(found) == ["k0", "k2", "k1"]


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "eyJ9:1:2", "%00", "%ff"])
def test_a_cursor_that_was_never_given_is_refused(program: Caller, cursor: str):
    assert code(program.get(f"{SESSIONS}?cursor={cursor}")) == (400, "VALIDATION_ERROR")


def test_a_cursor_of_another_order_is_refused(program: Caller):
    factories.session()
    factories.session()
    cursor = program.get(f"{SESSIONS}?limit=1").json()["next"]

    answer = program.get(f"{SESSIONS}?ordering=created_at&cursor={cursor}")

    assert code(answer) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=running", ["two"]),
        ("state=running,created", ["three", "two", "one"]),
        ("kind=audit", ["three"]),
        ("mode=historical", ["one"]),
        ("environment=production", ["two"]),
        ("key=one", ["one"]),
        ("name=Two", ["two"]),
        ("name=two", []),
        ("owner=desk", ["three"]),
        ("search=TWO", ["two"]),
        ("search=DES", ["three"]),
        ("search=o&state=created", ["one"]),
        ("status=active", ["two"]),
        ("status=active,created&search=o", ["two", "one"]),
    ],
)
def test_filters_narrow_the_list(program: Caller, query: str, found: list[str]):
    factories.session(key="one", mode=Mode.HISTORICAL)
    factories.session_in(State.RUNNING, key="two", name="Two", environment=Environment.PRODUCTION)
    factories.session(key="three", kind=Kind.AUDIT, owner_label="desk")

    assert keys(program.get(f"{SESSIONS}?{query}")) == found


@pytest.mark.parametrize(
    "query",
    [
        "state=bad",
        "status=running",
        "kind=stream,bad",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=99999999999999999999999999",
        "ordering=name",
        "colour=red",
        "search=%00",
        "cursor=%00",
    ],
)
def test_a_parameter_that_cannot_be_is_refused(program: Caller, query: str):
    assert code(program.get(f"{SESSIONS}?{query}")) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "address", ["", "?state=created", "/k0", "/k0/components", "/k0/events", "/k0/topics"]
)
def test_more_rows_cost_no_more_queries(program: Caller, address: str):
    counts = []
    program.get(SESSIONS)
    for number in (1, 3):
        for index in range(Session.objects.count(), number):
            expected = [Expected(name=f"c{one}") for one in range(number)]
            factories.session(key=f"k{index}", expected=expected)
        with CaptureQueriesContext(connection) as found:
            assert program.get(SESSIONS + address).status_code == 200
        counts.append(len(found))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("order", ["-created_at", "-last_activity_at"])
def test_a_page_is_read_in_its_order_and_not_sorted(order: str):
    mine = lists.readable(factories.member(factories.team("default")))
    page = pages.ordered(mine, order=order, limit=50)

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A small table is sorted sooner than an index is opened.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

    plan = page.explain()
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
