"""`aegis role`: what people may do."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from components.core import scopes
from components.services import roles
from components.services.roles import Standing
from sessions.management import output, verbs
from sessions.management.output import How, Misused
from sessions.management.verbs import As, Json, Quiet, verb

app: Typer[..., Any] = Typer(help="Roles: what people may do in their teams.")

ROLES = ", ".join(scopes.ROLES)
User = Annotated[str, typer.Argument(help="Who, by the name they sign in with.")]
Team = Annotated[str, typer.Option(help="A team, too.")]


@app.command()
@verb
def give(
    user: User,
    role: Annotated[str, typer.Argument(help=f"One of: {ROLES}.")],
    *,
    team: Team = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Give somebody a role, and make them one of a team.

    Examples: aegis role give olga operator --team desk; aegis role give olga approver --json
    """
    principal = verbs.acting(as_user)
    found = roles.give(principal=principal, user=user, role=role, team=team)
    _show(How(is_json, is_quiet), "role.give", found)


@app.command()
@verb
def take(
    user: User,
    role: Annotated[str, typer.Argument(help=f"One of: {ROLES}; none with --team alone.")] = "",
    *,
    team: Team = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take a role from somebody, a team, or both; their sockets are closed within seconds.

    Examples: aegis role take olga operator --team desk; aegis role take olga approver --json
    """
    if not (role or team):
        raise Misused("Say which role, or which --team.")
    principal = verbs.acting(as_user)
    found = roles.take(principal=principal, user=user, role=role, team=team)
    _show(How(is_json, is_quiet), "role.take", found)


@app.command("list")
@verb
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List who has which role, in which teams.

    Examples: aegis role list; aegis role list --json
    """
    found = roles.several(principal=verbs.acting(as_user))
    output.show(
        How(is_json, is_quiet),
        "role.list",
        data=lambda: [document(one) for one in found],
        ids=[one.user.get_username() for one in found],
        table=lambda: {
            "USER": [one.user.get_username() for one in found],
            "ROLES": [" ".join(one.roles) for one in found],
            "TEAMS": [" ".join(one.teams) for one in found],
        },
    )


def document(one: Standing) -> dict[str, Any]:
    """A person as JSON shows them."""
    return {"user": one.user.get_username(), "roles": one.roles, "teams": one.teams}


def _show(how: How, command: str, one: Standing) -> None:
    name = one.user.get_username()
    said = f"{name}: {', '.join(one.roles) or 'no role'}; teams: {', '.join(one.teams) or 'none'}"
    output.show_one(how, command, document(one), identity=name, sentence=said)
