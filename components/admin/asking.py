"""Who is signed in to the admin."""

from typing import Any

from django.contrib.auth.models import Group
from django.http import HttpRequest

from aegis_project.kit.principal import Principal
from components import auth
from components.core import scopes


def asking(request: HttpRequest) -> Principal:
    """The person as the services know it; worked out once per request."""
    found = getattr(request, "aegis_principal", None)
    if not isinstance(found, Principal):
        user: Any = request.user
        request_id = getattr(request, "request_id", "")
        found = auth.of_user(user, transport="admin").via("admin", request_id=request_id)
        request.aegis_principal = found  # type: ignore[attr-defined]
    return found


def standing(request: HttpRequest) -> str:
    """The teams and roles of whoever is signed in, as the sidebar says them; empty for nobody."""
    if not request.user.is_authenticated:
        return ""
    principal = asking(request)
    if principal.teams is None:
        return "every team · admin"
    names = ", ".join(team.name for team in teams(principal)) or "no team"
    return " · ".join([names, *scopes.roles(principal.scopes)])


def teams(principal: Principal) -> list[Group]:
    """The teams that the principal may make something for, by name."""
    rows = Group.objects.order_by("name")
    if principal.teams is not None:
        rows = rows.filter(pk__in=principal.teams)
    return list(rows)
