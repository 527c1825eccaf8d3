"""Budgets of teams and people: set, seen by whom they are of, and removed."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from aegis_project.kit.errors import AegisError
from sessions.core.errors import BudgetExceeded
from sessions.models import Budget, Run
from sessions.selectors import budgets
from sessions.services import budgeting
from streaming.models import AuditEntry
from tests import asking, factories
from tests.calling import SYSTEM, caller, code

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

BUDGETS = "/api/v1/budgets"


def put(**asked: Any) -> Budget:
    return budgeting.put(
        principal=SYSTEM, **{"period": "month", "most": {"max_tokens": 10}, **asked}
    ).budget


def test_a_budget_is_shown_with_what_was_used_to_the_team_that_it_is_of():
    run = asking.run(factories.session())
    Run.objects.filter(pk=run.pk).update(token_count=7, cost=Decimal("0.25"))
    row = put(team="default", most={"max_tokens": 100, "max_cost": 2.5})

    own, other = (caller(team=team).get(BUDGETS).json() for team in ("default", "elsewhere"))

    assert own["data"] == [
        {
            "id": str(row.pk),
            "team": "default",
            "user": None,
            "period": "month",
            "max_tokens": 100,
            "max_cost": 2.5,
            "used_tokens": 7,
            "used_cost": 0.25,
        }
    ]
    assert other["data"] == []


def test_a_budget_that_is_set_again_takes_the_place_of_the_first_and_lets_runs_go_on():
    run = asking.run(factories.session())
    Run.objects.filter(pk=run.pk).update(token_count=10)
    run = Run.objects.select_related("agent", "session__team").get(pk=run.pk)
    first = put(team="default")
    with pytest.raises(BudgetExceeded):
        budgets.check(run)

    second = put(team="default", most={"max_cost": 5})
    budgets.check(run)

    assert (second.pk, second.max_tokens, second.max_cost) == (first.pk, None, Decimal(5))
    assert Budget.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({}, "VALIDATION_ERROR"),
        ({"team": "default", "user": "ada"}, "VALIDATION_ERROR"),
        ({"team": "default", "most": {}}, "VALIDATION_ERROR"),
        ({"team": "default", "most": {"max_steps": 1}}, "VALIDATION_ERROR"),
        ({"team": "default", "most": {"max_cost": 10**6}}, "VALIDATION_ERROR"),
        ({"team": "default", "period": "week"}, "VALIDATION_ERROR"),
        ({"team": "nowhere"}, "NOT_FOUND"),
        ({"user": "nobody"}, "NOT_FOUND"),
    ],
)
def test_what_can_be_no_budget_is_refused(asked: dict[str, Any], refused: str):
    factories.team("default")
    User.objects.create_user("ada")

    with pytest.raises(AegisError) as error:
        put(**asked)

    assert error.value.code == refused
    assert not Budget.objects.exists()


def test_only_administrators_set_and_remove_them_over_http(client: Any):
    factories.team("default")
    client.force_login(User.objects.create_superuser("root"))
    order = {"team": "default", "period": "day", "max_tokens": 5}

    refused = caller().post(BUDGETS, order)
    made = client.post(BUDGETS, order, content_type="application/json")
    known = made.json()["id"]
    kept = caller().delete(f"{BUDGETS}/{known}")
    removed, absent, nonsense = (
        client.delete(f"{BUDGETS}/{one}") for one in (known, known, "9" * 40)
    )

    assert code(refused) == code(kept) == (403, "PERMISSION_DENIED")
    assert (made.status_code, made.json()["max_tokens"], removed.status_code) == (200, 5, 204)
    assert code(absent) == code(nonsense) == (404, "NOT_FOUND")


def test_the_page_health_shows_budgets_with_what_was_used(admin_client: Any):
    without = admin_client.get("/admin/health/").content.decode()
    run = asking.run(factories.session())
    Run.objects.filter(pk=run.pk).update(token_count=7)
    put(team="default", most={"max_tokens": 100})

    page = admin_client.get("/admin/health/").content.decode()

    assert "aegis budget set" in without
    assert all(text in page for text in ("team:default", "7 of 100", "0.00 $"))
    assert "aegis budget set" not in page


def test_the_command_line_sets_lists_and_removes_budgets(aegis: Any):
    person = User.objects.create_user("ada")

    made = aegis("budget", "set", "--user", "ada", "--period", "always", "--cost", "2.5", "--json")
    shown = aegis("budget", "list")
    set_to = made.document["data"]
    known = set_to["id"]
    tried = aegis("budget", "remove", known, "--dry-run", "--json")
    gone = aegis("budget", "remove", known, "--yes", "--json")
    again = aegis("budget", "remove", known, "--yes")

    assert (set_to["user"], set_to["max_cost"]) == ("ada", 2.5)
    assert f"user:{person}" in shown.out
    assert "0.00 $ of 2.50 $" in shown.out
    assert [one["id"] for one in tried.document["data"]] == [known]
    assert [one["id"] for one in gone.document["data"]] == [known]
    assert again.code == 3
    entries = AuditEntry.objects.filter(command__startswith="budget.", outcome="ok")
    assert list(entries.order_by("pk").values_list("command", "target")) == [
        ("budget.set", "user:ada"),
        ("budget.remove", "user:ada"),
    ]
