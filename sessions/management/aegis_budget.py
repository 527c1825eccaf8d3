"""`aegis budget`: what teams and people may use in a day, a month, or ever."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer
from django.utils import timezone
from django_typer.management import Typer

from sessions.api import budgets as documents
from sessions.management import output, verbs
from sessions.management.output import How
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, verb
from sessions.models import Budget
from sessions.selectors import budgets
from sessions.selectors.budgets import Spent
from sessions.services import budgeting

app: Typer[..., Any] = Typer(help="Budgets: list, set and remove what teams and people may use.")


@app.command("list")
@verb
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List budgets, with what was used of each.

    Examples: aegis budget list; aegis budget list --json
    """
    found = list(budgets.spent(verbs.acting(as_user)))
    _show("budget.list", found, How(is_json, is_quiet))


@app.command("set")
@verb
def put(
    *,
    team: Annotated[str, typer.Option(help="Whose it is: this team's.")] = "",
    user: Annotated[str, typer.Option(help="Or this person's.")] = "",
    period: Annotated[
        Literal["day", "month", "always"], typer.Option(help="When it begins anew.")
    ] = "month",
    tokens: Annotated[int | None, typer.Option(min=0, help="Tokens at most.")] = None,
    cost: Annotated[float | None, typer.Option(min=0, help="US dollars at most.")] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Set the budget of a team or of a person for a period, in the place of the one that there is.

    Examples: aegis budget set --team default --period month --tokens 1000000 --cost 50;
    aegis budget set --user olga --period day --tokens 20000
    """
    most = {"max_tokens": tokens, "max_cost": cost}
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    row = budgeting.put(principal=principal, team=team, user=user, period=period, most=most).budget
    _tell("budget.set", row, how)


@app.command()
@verb
def remove(
    budget: Annotated[list[str], typer.Argument(metavar="BUDGET...", help="Their numbers.")],
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Remove budgets; what waits for them goes on.

    Examples: aegis budget remove 3 --yes; aegis budget remove 3 --dry-run
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    if is_dry:
        found = [_spent(budgets.find(principal, one)) for one in budget]
        _show("budget.remove", found, how, dry_run=True)
        return
    verbs.confirm(f"Remove {', '.join(budget)}?", is_sure=is_sure)
    results = verbs.each(
        budget, lambda one: budgeting.remove(principal=principal, budget=one).budget
    )
    if results.done or len(budget) > 1:
        _show("budget.remove", [_spent(one) for one in results.done], how)
    results.end(how)


def _spent(row: Budget) -> Spent:
    return Spent(row, budgets.used(row, now=timezone.now()))


def _tell(name: str, row: Budget, how: How) -> None:
    one = _spent(row)
    used = f"{one.tokens} tokens  {one.dollars}"
    sentence = f"{row.pk}  {budgets.owner(row)}  {row.period}  {used}"
    output.show_one(how, name, documents.shown(one), identity=str(row.pk), sentence=sentence)


def _show(name: str, found: Sequence[Spent], how: How, **meta: Any) -> None:
    output.show(
        how,
        name,
        data=lambda: [documents.shown(one) for one in found],
        ids=[str(one.budget.pk) for one in found],
        table=lambda: {
            "BUDGET": [str(one.budget.pk) for one in found],
            "OF": [budgets.owner(one.budget) for one in found],
            "PERIOD": [one.budget.period for one in found],
            "TOKENS": [one.tokens for one in found],
            "COST": [one.dollars for one in found],
        },
        **meta,
    )
