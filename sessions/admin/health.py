"""The page Health: what `aegis doctor` finds, and what is used of quotas and budgets."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from aegis_project import health, marks
from aegis_project.health import Finding, State
from aegis_project.kit.errors import AegisError, NotFound
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from components.admin.asking import asking
from components.core.scopes import INSTANCE, METRICS
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.admin import budgets
from sessions.selectors import budgets as reading
from sessions.selectors import quotas, snoozes
from sessions.selectors.quotas import Use
from sessions.services import mending

# What matters most stands first.
TITLES = {
    State.ERROR: "To mend",
    State.UNKNOWN: "Could not be checked",
    State.WARNING: "To look at",
    State.NOTICE: "To know",
    State.OK: "Well",
}
# These are told as they are although somebody leaves them alone.
LOUD = frozenset({State.ERROR, State.UNKNOWN})
DAYS = {1: "a day", 7: "a week", 30: "30 days", 90: "90 days"}


def page(request: HttpRequest) -> HttpResponse:
    """All findings by how much they matter, each with what to do."""
    principal = asking(request)
    if not principal.allows(METRICS):
        raise PermissionDenied
    found = snoozes.examine()
    may_act = principal.allows(INSTANCE)
    context = {
        **admin.site.each_context(request),
        "title": "Health",
        "sentence": sentence(found),
        "checked": marks.clock(timezone.now(), now=timezone.now()),
        "groups": groups(found, may_act=may_act),
        "days": DAYS,
        "headings": [heading(quota) for quota in Quota],
        "teams": [
            team(name, found)
            for name, found in groupby(quotas.of_all(principal), key=attrgetter("team"))
        ],
        "budgets": [budgets.row(one) for one in reading.spent(principal)],
    }
    return TemplateResponse(request, "admin/aegis/health.html", context)


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Leave a finding alone, tell it again, or mend it; back to the page."""
    principal = asking(request)
    word, item, state = (request.POST.get(one, "") for one in ("act", "check", "state"))
    try:
        messages.success(request, _carry_out(principal, request, word, item, state))
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
    return HttpResponseRedirect(reverse("health"))


def _carry_out(principal: Principal, request: HttpRequest, word: str, item: str, state: str) -> str:
    match word:
        case "snooze":
            days = request.POST.get("days", "")
            until = timezone.now() + timedelta(days=int(days) if days in map(str, DAYS) else 0)
            reason = request.POST.get("reason", "")
            mending.snooze(principal=principal, item=item, state=state, reason=reason, until=until)
            return f"{named(item)} is left alone until {until:%Y-%m-%d %H:%M} UTC."
        case "wake":
            mending.wake(principal=principal, item=item, state=state)
            return f"{named(item)} is told again."
        case "mend":
            done = mending.mend(principal=principal, item=item, state=state)
            return f"{named(item)}: {done.detail['done']}"
    raise NotFound("There is no such button.")


def named(item: str) -> str:
    """What a check is called."""
    return item.replace("_", " ").capitalize()


def is_quiet(one: Finding) -> bool:
    """Whether a finding stands apart because somebody leaves it alone."""
    return one.snoozed is not None and one.state not in LOUD


def sentence(found: Sequence[Finding]) -> str:
    """How it is, in one sentence; what is snoozed is counted."""
    counts = {
        state: sum(one.state is state and not is_quiet(one) for one in found) for state in State
    }
    odd = [
        f"{counts[state]} {TITLES[state].lower()}"
        for state in (State.ERROR, State.UNKNOWN, State.WARNING)
        if counts[state]
    ]
    left = sum(map(is_quiet, found))
    odd += [f"{left} snoozed"] if left else []
    return f"{', '.join(odd)}." if odd else f"All is well: {len(health.CHECKS)} checks."


def groups(found: Sequence[Finding], *, may_act: bool) -> list[dict[str, Any]]:
    """The findings under their titles; a title without any is left out."""
    told = {
        title: [one for one in found if one.state is state and not is_quiet(one)]
        for state, title in TITLES.items()
    }
    # What is well comes last.
    well = told.pop(TITLES[State.OK])
    told |= {"Snoozed": [one for one in found if is_quiet(one)], TITLES[State.OK]: well}
    return [
        {"title": title, "findings": [finding(one, may_act=may_act) for one in some]}
        for title, some in told.items()
        if some
    ]


def finding(one: Finding, *, may_act: bool) -> dict[str, Any]:
    """A row of the page, with its buttons for who may push them."""
    left = one.snoozed
    return {
        "check": one.check,
        "state": one.state.value,
        "chip": marks.chip(one.state.value, marks.FINDING),
        "name": named(one.check),
        "said": one.said,
        "fix": one.fix,
        "left": left
        and {
            "by": left.by,
            "reason": left.reason,
            "until": marks.clock(left.until, now=timezone.now()),
        },
        "is_mended": may_act and one.check in mending.offered([one]),
        "may_act": may_act and one.state is not State.OK,
    }


def team(name: str, found: Iterable[Use]) -> dict[str, Any]:
    """A row of the table of quotas."""
    cells = {one.quota: cell(one) for one in found}
    return {"name": name, "cells": [(heading(quota), cells[quota]) for quota in Quota]}


def heading(quota: Quota) -> str:
    """What a quota is called."""
    return quota.value.replace("_", " ").capitalize()


def cell(one: Use) -> str:
    """What is used, and what of."""
    used = marks.number(one.used)
    return used if one.most is None else f"{used} of {marks.number(one.most)}"
