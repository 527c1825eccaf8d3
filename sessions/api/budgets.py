"""What teams and people may use in a day, a month, or ever."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.selectors import budgets
from sessions.selectors.budgets import Spent
from sessions.services import budgeting
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation

Owner = Annotated[str, Meta(max_length=150, pattern="^[^\\x00]*$")]
Tokens = Annotated[int, Meta(ge=0, le=10**12)]
Dollars = Annotated[float, Meta(ge=0, le=999_999)]


class BudgetDocument(Struct, kw_only=True):
    """
    What a team or a user may use in a period, and has used; null is no limit.

    Days and months begin at midnight UTC. `max_cost` and `used_cost` are US dollars.
    """

    id: str
    team: str | None
    user: str | None
    period: Literal["day", "month", "always"]
    max_tokens: int | None
    max_cost: float | None
    used_tokens: int
    used_cost: float


class BudgetList(Struct, kw_only=True):
    """Budgets."""

    data: list[BudgetDocument]


class BudgetInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """The budget of a team or of a user; what it does not name has no limit."""

    team: Owner = ""
    user: Owner = ""
    period: Literal["day", "month", "always"] = "month"
    max_tokens: Tokens | None = None
    max_cost: Dollars | None = None


class Budgets(Endpoint):
    """The budgets of your teams, and your own."""

    examples: ClassVar[Mapping[str, Any]] = {
        "POST": {"team": "default", "period": "month", "max_tokens": 1_000_000, "max_cost": 50}
    }

    @operation("budgets.list", tag="teams", answers={200: BudgetList})
    def get(self, _request: Request) -> Response:
        """List budgets, with what was used of each."""
        return Response({"data": [shown(one) for one in budgets.spent(self.principal)]})

    @operation("budgets.set", tag="teams", body=BudgetInput, answers={200: BudgetDocument})
    @once
    def post(self, _request: Request) -> Response:
        """Set the budget of a team or a user for a period, in the place of the one there is."""
        order = self.ordered(BudgetInput)
        row = budgeting.put(
            principal=self.principal,
            team=order.team,
            user=order.user,
            period=order.period,
            most={"max_tokens": order.max_tokens, "max_cost": order.max_cost},
        ).budget
        return Response(shown(Spent(row, budgets.used(row, now=timezone.now()))))


class OneBudget(Endpoint):
    """One budget."""

    @operation("budgets.remove", tag="teams", answers={204: None})
    def delete(self, _request: Request, budget: str) -> Response:
        """Remove a budget; what waits for it goes on."""
        budgeting.remove(principal=self.principal, budget=budget)
        return Response(status=204)


def shown(one: Spent) -> dict[str, Any]:
    """A budget and its use, as JSON."""
    row, used = one.budget, one.used
    found: dict[str, Any] = codecs.show(
        BudgetDocument(
            id=str(row.pk),
            team=row.team.name if row.team else None,
            user=row.user.get_username() if row.user else None,
            period=row.period,  # type: ignore[arg-type]  # the column takes no other
            max_tokens=row.max_tokens,
            max_cost=None if row.max_cost is None else float(row.max_cost),
            used_tokens=used.tokens,
            used_cost=float(used.cost),
        )
    )
    return found
