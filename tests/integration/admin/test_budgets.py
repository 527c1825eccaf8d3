"""The page Budgets: what teams, people and sessions may use, seen, set and cleared."""

import html
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.core.lifecycle import State
from sessions.models import Budget, Run, Session
from streaming.models import AuditEntry
from tests import asking, factories

pytestmark = pytest.mark.django_db

PAGE, ACT = "/admin/budgets/", "/admin/budgets/act/"


@pytest.fixture
def root(superuser: User) -> Client:
    return signed_in(superuser)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def acted(client: Client, act: str, **said: Any) -> str:
    """What the page says after a button was pushed."""
    return html.unescape(client.post(ACT, {"act": act, **said}, follow=True).content.decode())


def spent(session: Session) -> None:
    run = asking.run(session)
    Run.objects.filter(pk=run.pk).update(token_count=40, cost=Decimal("1.5"))


def test_the_budget_of_a_team_is_set_shown_with_what_is_used_and_cleared(root: Client, team: Any):
    spent(factories.session_in(State.RUNNING, team=team.name))

    page = acted(root, "set", of="team:default", period="month", max_tokens="100", max_cost="2.5")
    row = Budget.objects.get()
    raised = acted(root, "set", of="team:default", period="month", max_tokens="200", max_cost="")
    cleared = acted(root, "remove", budget=str(row.pk))

    assert "team:default has this budget now." in page
    assert "40 of 100" in page
    assert "1.50 $ of 2.50 $" in page
    assert "40 of 200" in raised
    assert "There are none." in cleared
    assert not Budget.objects.exists()
    entries = AuditEntry.objects.filter(command__startswith="budget.").order_by("pk")
    told = [(one.command, one.actor, one.target) for one in entries]
    assert told == [
        ("budget.set", "user:root", "team:default"),
        ("budget.set", "user:root", "team:default"),
        ("budget.remove", "user:root", "team:default"),
    ]


def test_the_budget_of_a_person_is_set(root: Client, operator: User):
    page = acted(root, "set", of="user:olga", period="day", max_tokens="100", max_cost="")

    row = Budget.objects.get()
    assert (row.user, row.period, row.max_tokens, row.max_cost) == (operator, "day", 100, None)
    assert "user:olga" in page


def test_the_budget_of_a_session_keeps_what_else_its_config_says(root: Client, team: Any):
    config = {"note": "x", "limits": {"max_steps": 7}}
    session = factories.session_in(State.RUNNING, key="desk", team=team.name, config=config)
    spent(session)

    page = acted(root, "limit", session="desk", max_tokens="100", max_cost="2.5")
    session.refresh_from_db()
    limited = session.config
    cleared = acted(root, "unlimit", session=str(session.pk))
    session.refresh_from_db()

    assert limited == {
        "note": "x",
        "limits": {"max_steps": 7, "max_tokens": 100, "max_cost": "2.5"},
    }
    assert "40 of 100" in page
    assert "1.50 $ of 2.50 $" in page
    assert session.config == config
    assert "No open session has a budget of its own." in cleared
    entries = AuditEntry.objects.filter(command="session.update", actor="user:root")
    assert entries.count() == 2


@pytest.mark.parametrize(
    ("act", "said", "told"),
    [
        ("set", {"of": "team:default", "period": "month"}, "Say how many tokens"),
        ("set", {"of": "team:default", "period": "month", "max_tokens": "many"}, "is a number"),
        ("set", {"of": "team:default", "period": "month", "max_cost": "nan"}, "VALIDATION_ERROR"),
        ("set", {"of": "team:nobody", "period": "month", "max_tokens": "1"}, "NOT_FOUND"),
        ("set", {"of": "", "period": "month", "max_tokens": "1"}, "of a team or of a user"),
        ("set", {"of": "team:default", "period": "year", "max_tokens": "1"}, "The periods are"),
        ("limit", {"session": "nowhere", "max_tokens": "1"}, "SESSION_NOT_FOUND"),
        ("remove", {"budget": "77"}, "There is no such budget"),
        ("spend", {}, "There is no such button"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    root: Client, team: Any, act: str, said: Any, told: str
):
    assert told in acted(root, act, **said)
    assert not Budget.objects.exists()


def test_whoever_may_not_set_them_sees_theirs_without_buttons(
    root: Client, operator: User, viewer: User, other_team: Any
):
    acted(root, "set", of="team:default", period="month", max_tokens="5", max_cost="")
    acted(root, "set", of="team:others", period="month", max_tokens="6", max_cost="")
    session = factories.session_in(State.RUNNING, key="theirs", team="others")

    seen = signed_in(viewer).get(PAGE).content.decode()
    refused = acted(signed_in(operator), "set", of="team:default", period="month", max_tokens="9")
    hidden = acted(signed_in(operator), "limit", session="theirs", max_tokens="9")
    denied = acted(signed_in(viewer), "limit", session=str(session.pk), max_tokens="9")

    assert "team:default" in seen
    assert "team:others" not in seen
    assert ACT not in seen
    assert "PERMISSION_DENIED" in refused
    assert "SESSION_NOT_FOUND" in hidden
    assert "PERMISSION_DENIED" in denied
    assert set(Budget.objects.values_list("max_tokens", flat=True)) == {5, 6}


def test_whoever_may_see_no_session_has_no_such_page(person: Any):
    client = signed_in(person("nora"))

    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/admin/").content.decode()
