"""The page Health: what `aegis doctor` finds, and what is used of quotas and budgets."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from aegis_project import health, marks
from aegis_project.health import Finding, State
from aegis_project.kit.quotas import Quota
from components.admin.asking import asking
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.api import budgets, quotas
from sessions.api.quotas import QuotaDocument, TeamQuotasDocument
from sessions.selectors import budgets as reading
from sessions.selectors.budgets import Spent

SCOPE = "metrics:read"
# What matters most stands first.
TITLES = {
    State.ERROR: "To mend",
    State.UNKNOWN: "Could not be checked",
    State.WARNING: "To look at",
    State.NOTICE: "To know",
    State.OK: "Well",
}


def page(request: HttpRequest) -> HttpResponse:
    """All findings by how much they matter, each with what to do."""
    principal = asking(request)
    if not principal.allows(SCOPE):
        raise PermissionDenied
    found = health.examine()
    context = {
        **admin.site.each_context(request),
        "title": "Health",
        "sentence": sentence(found),
        "checked": marks.clock(timezone.now(), now=timezone.now()),
        "groups": groups(found),
        "headings": [quota.value.replace("_", " ").capitalize() for quota in Quota],
        "teams": [team(one) for one in quotas.documents(principal)],
        "budgets": [budget(one) for one in reading.spent(principal)],
    }
    return TemplateResponse(request, "admin/aegis/health.html", context)


def sentence(found: Sequence[Finding]) -> str:
    """How it is, in one sentence."""
    counts = {state: sum(one.state is state for one in found) for state in State}
    odd = [
        f"{counts[state]} {TITLES[state].lower()}"
        for state in (State.ERROR, State.UNKNOWN, State.WARNING)
        if counts[state]
    ]
    return f"{', '.join(odd)}." if odd else f"All is well: {len(health.CHECKS)} checks."


def groups(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings under their titles; a title without any is left out."""
    return [
        {"title": title, "findings": [finding(one) for one in found if one.state is state]}
        for state, title in TITLES.items()
        if any(one.state is state for one in found)
    ]


def finding(one: Finding) -> dict[str, str | SafeString]:
    """A row of the page."""
    return {
        "check": one.check,
        "state": one.state.value,
        "chip": marks.chip(one.state.value, marks.FINDING),
        "name": one.check.replace("_", " ").capitalize(),
        "said": one.said,
        "fix": one.fix,
    }


def budget(one: Spent) -> dict[str, str]:
    """A row of the table of budgets."""
    return {
        "of": reading.owner(one.budget),
        "period": one.budget.get_period_display(),
        "tokens": budgets.tokens(one),
        "cost": budgets.dollars(one),
    }


def team(one: TeamQuotasDocument) -> dict[str, Any]:
    """A row of the table of quotas."""
    return {
        "name": one.team,
        "cells": [
            (quota.value.replace("_", " ").capitalize(), cell(getattr(one, quota.value)))
            for quota in Quota
        ],
    }


def cell(one: QuotaDocument) -> str:
    """What is used, and what of."""
    used = marks.number(one.used)
    return used if one.most is None else f"{used} of {marks.number(one.most)}"
