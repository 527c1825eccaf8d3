"""`aegis budget`: what teams and people may use in a day, a month, or ever."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import typer
from django.utils import timezone
from django_typer.management import Typer

from aegis_project.kit.errors import NotFound
from sessions.api import budgets as documents
from sessions.core.limits import Used
from sessions.management import there, verbs
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Budget
from sessions.selectors import budgets
from sessions.selectors.budgets import Spent
from sessions.services import budgeting

app: Typer[..., Any] = Typer(help="Budgets: list, set and remove what teams and people may use.")


def _used(row: Document) -> Used:
    return Used(tokens=row["used_tokens"], cost=Decimal(str(row["used_cost"])))


def _tokens(row: Document) -> str:
    return budgets.tokens(_used(row), row["max_tokens"])


def _dollars(row: Document) -> str:
    most = row["max_cost"]
    return budgets.dollars(_used(row), None if most is None else Decimal(str(most)))


def _owner(row: Document) -> str:
    return f"team:{row['team']}" if row["team"] else f"user:{row['user']}"


SHAPE: Shape[Spent] = Shape(
    noun="budget",
    document=documents.shown,
    name="id",
    columns={
        "BUDGET": lambda row: row["id"],
        "OF": _owner,
        "PERIOD": lambda row: row["period"],
        "TOKENS": _tokens,
        "COST": _dollars,
    },
    sentence=lambda row: (
        f"{row['id']}  {_owner(row)}  {row['period']}  {_tokens(row)} tokens  {_dollars(row)}"
    ),
)


def _far_body(*, tokens: int | None, cost: float | None, **given: str) -> dict[str, Any]:
    return {**given, "max_tokens": tokens, "max_cost": cost}


def _far_remove(
    server: Client,
    *,
    budget: list[str],
    is_sure: bool,
    is_dry: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    def read(one: str) -> Document:
        rows = server.get("budgets")["data"]
        found: Document | None = next((row for row in rows if row["id"] == one), None)
        if found is None:
            raise NotFound("There is no such budget.", budget=one)
        return found

    def act(one: str) -> Document:
        row = read(one)
        server.send("DELETE", "budgets", one)
        return row

    how = How(is_json, is_quiet)
    SHAPE.remove_by(how, budget, read=read, act=act, is_sure=is_sure, is_dry=is_dry)


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "budgets"))
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List budgets, with what was used of each.

    Examples: aegis budget list; aegis budget list --json
    """
    found = list(budgets.spent(verbs.acting(as_user)))
    SHAPE.several(How(is_json, is_quiet), "list", found)


@app.command("set")
@verb
@elsewhere(there.sent(SHAPE, "set", "POST", "budgets", body=_far_body))
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
    SHAPE.one(how, "set", _spent(row))


@app.command()
@verb
@elsewhere(_far_remove)
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
    SHAPE.remove(
        how,
        budget,
        read=lambda one: _spent(budgets.find(principal, one)),
        act=lambda one: _spent(budgeting.remove(principal=principal, budget=one).budget),
        is_sure=is_sure,
        is_dry=is_dry,
    )


def _spent(row: Budget) -> Spent:
    return Spent(row, budgets.used(row, now=timezone.now()))
