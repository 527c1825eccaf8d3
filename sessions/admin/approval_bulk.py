"""Deciding on several approvals of the inbox: what would happen first, then what did."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import approval_cells as cells
from sessions.admin import reasons
from sessions.models import Approval
from sessions.selectors import situation
from sessions.services import batches
from sessions.services.batches import Order, Outcome, Plan

Action = Callable[[Any, HttpRequest, QuerySet[Approval]], HttpResponse | None]
LABELS = {"approve": "Approve", "reject": "Reject"}
PAST = {"approve": "approved", "reject": "rejected"}
EFFECTS = {
    "approve": "Each call is carried out once, as it was asked.",
    "reject": "Nothing is called. The agents are told your reason.",
}


class Fate(NamedTuple):
    """One approval of a batch: what is asked, and why nothing is decided on it."""

    row: Approval | None
    name: str
    arguments: list[tuple[str, str]]
    risk: SafeString | str
    left: SafeString | str
    error: AegisError | None


def _action(verb: str) -> Action:
    @admin.action(description=LABELS[verb], permissions=["decide"])
    def act(
        model_admin: Any, request: HttpRequest, queryset: QuerySet[Approval]
    ) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        # Not the queryset: what was decided meanwhile is no more in it, and is to be told.
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        orders = [Order(one, approved=verb == "approve", reason=reason) for one in chosen]
        try:
            return _answer(model_admin, request, verb, orders)
        except AegisError as error:
            messages.error(request, error.message)
            return None

    act.__name__ = verb
    return act


approve, reject = (_action(verb) for verb in LABELS)


def _answer(
    model_admin: Any, request: HttpRequest, verb: str, orders: Sequence[Order]
) -> HttpResponse:
    # One that is missing yet is no refusal: the form asks for it.
    reasoned = [replace(order, reason=order.reason or "…") for order in orders]
    plan = batches.plan(principal=asking(request), orders=reasoned, look=situation.now)
    needs_reason = _needs_reason(plan, is_approval=verb == "approve")
    problem = ""
    if request.POST.get("confirm"):
        if not needs_reason or orders[0].reason:
            done = batches.decide(principal=asking(request), orders=orders, look=situation.now)
            return _render(model_admin, request, "batch_done", verb, _done(done, verb))
        problem = needs_reason
    context = _planned(plan, verb) | {
        "needs_reason": needs_reason,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
        "selected": [str(order.approval) for order in orders],
    }
    return _render(model_admin, request, "batch", verb, context)


def _needs_reason(plan: Plan, *, is_approval: bool) -> str:
    """Why a reason is needed, if one is."""
    rows = plan.rows.values()
    if reasons.is_needed(*(row.session for row in rows)):
        return reasons.PRODUCTION
    if not is_approval and any(row.who.get("reason") for row in rows):
        return "A rejection needs a reason here."
    return ""


def _planned(plan: Plan, verb: str) -> dict[str, Any]:
    now = timezone.now()
    fates = [_fate(plan, one, now=now) for one in plan.outcomes]
    decided = [fate for fate in fates if fate.error is None]
    rows = [fate.row for fate in decided if fate.row is not None]
    return {
        "decided": decided,
        "others": [fate for fate in fates if fate not in decided],
        "environments": sorted(Counter(row.session.environment for row in rows).items()),
        "sessions": sorted(Counter(str(row.session) for row in rows).items()),
        "common": [(name, _in_common(rows, name)) for name in plan.common if rows],
        "resumed": len(plan.resumed),
        "held": len(plan.held),
        "effect": EFFECTS[verb],
    }


def _in_common(rows: Sequence[Approval], name: str) -> str:
    one = rows[0]
    return {
        "tool": one.tool_call.tool,
        "agent": one.run.agent_slug,
        "session": str(one.session),
    }[name]


def _fate(plan: Plan, outcome: Outcome, *, now: Any) -> Fate:
    row = plan.rows.get(str(outcome.approval))
    if row is None:
        return Fate(None, str(outcome.approval), [], "", "", outcome.error)
    said = [(name, cells.shown(value)) for name, value in row.tool_call.arguments.items()]
    left, risk = cells.left(row, now=now), cells.risk(row, now=now)
    return Fate(row, row.tool_call.tool, said, risk, left, outcome.error)


def _done(found: Sequence[Outcome], verb: str) -> dict[str, Any]:
    return {
        "done": [one.decided.approval for one in found if one.decided],
        "refused": [one for one in found if one.error],
        "past": PAST[verb],
    }


def _render(
    model_admin: Any, request: HttpRequest, template: str, verb: str, context: dict[str, Any]
) -> HttpResponse:
    shared = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"{LABELS[verb]} several",
        "verb": verb,
        "label": LABELS[verb],
        "is_fullwidth": "1",
    }
    return TemplateResponse(request, f"admin/aegis/approval/{template}.html", shared | context)
