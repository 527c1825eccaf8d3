from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aegis_project.prepared import Prepared, padded
from sessions.models import Session
from tests import factories

pytestmark = pytest.mark.django_db


def of_teams(teams: tuple[int, ...] | None, uuid, name: str) -> QuerySet[Session]:
    rows = Session.objects.order_by("key").select_related("team", "owner")
    if teams is not None:
        rows = rows.filter(team_id__in=teams)
    return rows.filter(Q(pk=uuid) | Q(name=name) if uuid else Q(name=name))


def test_rows_are_those_of_the_queryset():
    first = factories.session(key="a", name="n", context={"x": [1]}, expires_at=None)
    factories.session(key="b", name="n")
    factories.session(key="c", name="other")
    ask = Prepared(of_teams)

    found = ask(teams=None, uuid=None, name="n")

    plain = list(of_teams(None, None, "n"))
    fields = [field.attname for field in Session._meta.concrete_fields]
    assert [[getattr(one, name) for name in fields] for one in found] == [
        [getattr(one, name) for name in fields] for one in plain
    ]
    assert found == plain
    assert (found[0].pk, found[0].context) == (first.pk, {"x": [1]})


@pytest.mark.parametrize("name", ["", "plain", "a'b %s", "50 %", "\\", "Ü"])
def test_what_is_the_same_each_time_may_be_any_text(name: str):
    team = factories.team("mine")
    factories.session(key="a", name=name, team="mine")
    factories.session(key="b", name="another", team="mine")
    ask = Prepared(lambda team: Session.objects.filter(name=name, key__contains="a", team=team))

    assert [one.key for one in ask(team=team.pk)] == ["a"]


def test_each_shape_is_compiled_once_and_asked_with_any_values():
    mine, theirs = factories.team("mine"), factories.team("theirs")
    first = factories.session(key="a", name="n", team="mine")
    factories.session(key="b", name="n", team="theirs")
    compiled = []

    def counted(**values) -> QuerySet[Session]:
        compiled.append(values)
        return of_teams(**values)

    ask = Prepared(counted)

    def keys(**values) -> list[str]:
        return [one.key for one in ask(**values)]

    assert keys(teams=(mine.pk,), uuid=None, name="n") == ["a"]
    assert keys(teams=(theirs.pk,), uuid=None, name="n") == ["b"]
    assert keys(teams=(theirs.pk,), uuid=None, name="m") == []
    assert keys(teams=(theirs.pk, mine.pk), uuid=None, name="n") == ["a", "b"]
    assert keys(teams=None, uuid=first.pk, name="") == ["a"]
    assert keys(teams=None, uuid=uuid4(), name="") == []
    assert keys(teams=(), uuid=None, name="n") == []
    assert len(compiled) == 3


def test_related_rows_come_with_them_and_are_like_any_other():
    person = User.objects.create_user("ann")
    made = factories.session(key="a", name="n")
    Session.objects.update(owner=person)

    with CaptureQueriesContext(connection) as queries:
        [found] = Prepared(of_teams)(teams=None, uuid=None, name="n")
        names = (found.team.name, found.owner and found.owner.username)
    found.name = "new"
    found.save()

    made.refresh_from_db()
    assert (names, len(queries)) == (("default", "ann"), 1)
    assert made.name == "new"


def test_annotations_and_lists_of_values_are_read():
    factories.session(key="a")

    annotated = Prepared(lambda key: Session.objects.filter(key=key).annotate(of=F("team__name")))
    values = Prepared(lambda key: Session.objects.filter(key=key).values_list("key", "team__name"))

    assert annotated(key="a")[0].__dict__["of"] == "default"
    assert values(key="a") == [("a", "default")]


def test_moments_are_values():
    now = timezone.now()
    factories.session(key="a", expires_at=now)
    factories.session(key="b", expires_at=now + timedelta(microseconds=1))
    ask = Prepared(
        lambda at: Session.objects.filter(expires_at__lte=at).order_by("key").values_list("key")
    )

    assert [ask(at=now + timedelta(microseconds=n)) for n in (-1, 0, 1)] == [
        [],
        [("a",)],
        [("a",), ("b",)],
    ]


def test_values_are_padded_to_few_lengths():
    assert [padded(range(size)) for size in (0, 1, 3, 4)] == [(), (0,), (0, 1, 2, 2), (0, 1, 2, 3)]
    assert {len(padded(range(size))) for size in range(5, 9)} == {8}


def test_a_value_that_is_changed_on_its_way_is_refused():
    ask = Prepared(lambda name: Group.objects.filter(name__icontains=name))

    with pytest.raises(LookupError):
        ask(name="def")
