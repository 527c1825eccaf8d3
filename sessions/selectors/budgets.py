"""What runs have used, and whether there is room for another request to a model."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from aegis_project.prepared import Prepared
from sessions.core import limits, periods
from sessions.core.limits import Used
from sessions.core.runs import State, Waiting
from sessions.models import Budget, Run


def check(run: Run, *, seconds: float = 0.0) -> None:
    """
    Go on only while the run, its session, its user and its team may use more.

    ``seconds`` were worked since the run was read. Its agent and session are related to it.

    :raises BudgetExceeded: naming whose limit is reached
    """
    agent = run.agent.limits if run.agent else {}
    own = Used(
        steps=run.steps,
        seconds=run.worked_seconds + seconds,
        tokens=run.token_count,
        cost=run.cost,
    )
    limits.require("run", limits.effective(agent, run.limits), own)
    _check_session(run)
    _check_budgets(run, now=timezone.now())


def held() -> list[UUID]:
    """The runs that wait for a budget, the longest waiting first."""
    rows = Run.objects.filter(state=State.WAITING.value, waiting_for=Waiting.BUDGET.value)
    return list(rows.order_by("created_at", "pk").values_list("pk", flat=True))


def room(run: Run) -> int | None:
    """How many tokens the limits of the run leave it; None if they do not count them."""
    agent = run.agent.limits if run.agent else {}
    most = limits.effective(agent, run.limits).get("max_tokens")
    return None if most is None else max(most - run.token_count, 0)


def _check_session(run: Run) -> None:
    given = run.session.config.get("limits")
    if isinstance(given, dict):
        found = limits.totals(given)
        if found:
            limits.require("session", found, _used(Run.objects.filter(session=run.session_id)))


def _check_budgets(run: Run, *, now: datetime) -> None:
    for budget in _budgets(team=run.session.team_id, user=run.user_id):
        runs = Run.objects.filter(**_whose(budget))
        begin = periods.began(budget.period, now=now)
        if begin is not None:
            runs = runs.filter(created_at__gte=begin)
        whose = "user" if budget.user_id else "team"
        limits.require(whose, _of_budget(budget), _used(runs))


@Prepared
def _budgets(team: int, user: int | None) -> QuerySet[Budget]:
    mine = Q(team=team)
    if user is not None:
        mine |= Q(user=user)
    return Budget.objects.filter(mine).order_by("pk")


def _whose(budget: Budget) -> dict[str, Any]:
    if budget.user_id is not None:
        return {"user": budget.user_id}
    return {"session__team": budget.team_id}


def _of_budget(budget: Budget) -> dict[str, Any]:
    given = {"max_tokens": budget.max_tokens, "max_cost": budget.max_cost}
    return {name: value for name, value in given.items() if value is not None}


def _used(runs: QuerySet[Run]) -> Used:
    found = runs.aggregate(
        steps=Sum("steps"),
        seconds=Sum("worked_seconds"),
        tokens=Sum("token_count"),
        cost=Sum("cost"),
    )
    return Used(
        steps=found["steps"] or 0,
        seconds=found["seconds"] or 0.0,
        tokens=found["tokens"] or 0,
        cost=found["cost"] or Decimal(0),
    )
