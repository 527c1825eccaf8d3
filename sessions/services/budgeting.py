"""Saying what a team or a person may use in a day, a month, or ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User

from aegis_project.kit.errors import NotFound, ValidationFailed
from aegis_project.kit.principal import Principal
from components.services import roles
from sessions.core import limits, periods
from sessions.models import Budget
from sessions.selectors import budgets, sessions
from sessions.services import creation
from sessions.services.moving import Reference
from sessions.services.outcome import Outcome
from streaming.services.commands import Trace, command

MOST_COST = Decimal(10**6)
PLACES = Decimal("0.000001")
"""What the column keeps."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A budget that was set or removed."""

    budget: Budget

    def audit(self) -> Trace:
        row = self.budget
        cost = None if row.max_cost is None else f"{row.max_cost:f}"
        detail = {"period": row.period, "max_tokens": row.max_tokens, "max_cost": cost}
        return Trace(session_id=None, target=budgets.owner(row), detail=detail)


@command("budget.set", scope=roles.SCOPE)
def put(
    *,
    principal: Principal,
    period: str,
    most: Mapping[str, Any],
    team: str = "",
    user: str = "",
) -> Changed:
    """
    Set the budget of a team or of a person for a period, in the place of the one that there is.

    ``most`` names max_tokens, max_cost (US dollars), or both; what it leaves out has no limit.

    :raises NotFound: if there is no such team or person
    :raises ValidationFailed: unless it is of one of them, with a limit that can be
    """
    if period not in periods.KNOWN:
        raise ValidationFailed(f"The periods are {', '.join(periods.KNOWN)}.", field="period")
    whose, allowed = _whose(team, user), _allowed(most)
    row, _ = Budget.objects.update_or_create(**whose, period=period, defaults=allowed)
    return Changed(budgets.of_pk(row.pk))


@command("budget.remove", scope=roles.SCOPE)
def remove(*, principal: Principal, budget: str) -> Changed:
    """
    Remove a budget: what it held goes on.

    :raises NotFound: if there is none of this number for the principal
    """
    row = budgets.find(principal, budget)
    removed = Changed(budgets.of_pk(row.pk))
    row.delete()
    return removed


def limit(*, principal: Principal, session: Reference, most: Mapping[str, Any]) -> Outcome:
    """
    Say what all runs of a session may use together; None takes a limit away.

    :raises PermissionDenied: without the scope sessions:write
    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it is closed
    :raises PreconditionFailed: if somebody changed it in between
    :raises ValidationFailed: for a limit that cannot be
    """
    principal.require("sessions:write")
    row = sessions.find(principal, session)
    given = row.config.get("limits")
    before = given if isinstance(given, dict) else {}
    found = {
        name: value for name, value in {**before, **limits.check(most)}.items() if value is not None
    }
    rest = {name: value for name, value in row.config.items() if name != "limits"}
    changes = {"config": {**rest, **({"limits": found} if found else {})}}
    return creation.update(
        principal=principal, session=row.pk, changes=changes, version=row.version
    )


def _whose(team: str, user: str) -> dict[str, Any]:
    if bool(team) == bool(user):
        raise ValidationFailed("A budget is of a team or of a user.", fields=["team", "user"])
    rows = Group.objects.filter(name=team) if team else User.objects.filter(username=user)
    found = rows.first()
    if found is None:
        kind = "team" if team else "user"
        raise NotFound(f"There is no {kind} {(team or user)[:150]}.", of=kind)
    return {"team": found, "user": None} if team else {"team": None, "user": found}


def _allowed(most: Mapping[str, Any]) -> dict[str, Any]:
    given = limits.check({name: value for name, value in most.items() if value is not None})
    unknown = sorted(given.keys() - set(budgets.LIMITS))
    if unknown or not given:
        raise ValidationFailed("A budget limits max_tokens, max_cost, or both.", fields=unknown)
    cost = Decimal(given["max_cost"]).quantize(PLACES) if "max_cost" in given else None
    if cost is not None and cost >= MOST_COST:
        raise ValidationFailed("max_cost is less than a million dollars.", field="max_cost")
    return {"max_tokens": given.get("max_tokens"), "max_cost": cost}
