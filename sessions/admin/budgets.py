"""The page Budgets: what teams, people and sessions may use, what they have, and the forms to say it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError, NotFound, ValidationFailed
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from components.services import roles
from sessions.models import Budget
from sessions.selectors import budgets as reading
from sessions.selectors.budgets import SessionSpent, Spent
from sessions.services import budgeting

SCOPE = "sessions:read"
FIELDS = {"max_tokens": int, "max_cost": float}


def page(request: HttpRequest) -> HttpResponse:
    """Budgets with what was used of each, and forms for who may set them."""
    principal = asking(request)
    if not principal.allows(SCOPE):
        raise PermissionDenied
    may_set = principal.allows(roles.SCOPE)
    context = {
        **admin.site.each_context(request),
        "title": "Budgets",
        "budgets": [row(one) for one in reading.spent(principal)],
        "sessions": [session_row(one) for one in reading.sessions_spent(principal)],
        "may_set": may_set,
        "may_limit": principal.allows("sessions:write"),
        "periods": Budget._meta.get_field("period").choices,
        "teams": Group.objects.order_by("name").values_list("name", flat=True) if may_set else [],
        "people": User.objects.order_by("username").values_list("username", flat=True)
        if may_set
        else [],
    }
    return TemplateResponse(request, "admin/aegis/budgets.html", context)


def row(one: Spent) -> dict[str, Any]:
    """A row of the table of budgets."""
    return {
        "budget": one.budget.pk,
        "session": "",
        "of": reading.owner(one.budget),
        "period": one.budget.get_period_display(),
        "tokens": one.tokens,
        "cost": one.dollars,
    }


def session_row(one: SessionSpent) -> dict[str, Any]:
    """A row of the table of sessions that have a limit."""
    return {
        "budget": "",
        "session": one.session.pk,
        "of": one.session.key,
        "period": "always",
        "tokens": one.tokens,
        "cost": one.dollars,
    }


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Set a budget, or take one away; back to the page."""
    try:
        messages.success(request, _carry_out(asking(request), request.POST))
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
    return HttpResponseRedirect(reverse("budgets"))


def _carry_out(principal: Principal, said: QueryDict) -> str:
    word, session = said.get("act", ""), said.get("session", "").strip()
    match word:
        case "set":
            kind, _, name = said.get("of", "").partition(":")
            whose = {"team": name if kind == "team" else "", "user": name if kind == "user" else ""}
            period = said.get("period", "")
            made = budgeting.put(principal=principal, period=period, most=_most(said), **whose)
            return f"{reading.owner(made.budget)} has this budget now."
        case "remove":
            gone = budgeting.remove(principal=principal, budget=said.get("budget", ""))
            return f"{reading.owner(gone.budget)} has this budget no longer."
        case "limit":
            done = budgeting.limit(principal=principal, session=session, most=_most(said))
            return f"{done.session.key} has this budget now."
        case "unlimit":
            done = budgeting.limit(principal=principal, session=session, most=dict.fromkeys(FIELDS))
            return f"{done.session.key} has no budget of its own any more."
    raise NotFound("There is no such button.")


def _most(said: QueryDict) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in FIELDS.items():
        text = said.get(name, "").strip()
        try:
            found[name] = kind(text) if text else None
        except ValueError:
            raise ValidationFailed(f"{name} is a number.", field=name) from None
    if not any(value is not None for value in found.values()):
        raise ValidationFailed("Say how many tokens, how many dollars, or both.", fields=[*FIELDS])
    return found
