"""Bulk verbs of the session list: what would happen first, then what did."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import reasons
from sessions.admin.lever import EFFECTS, LABELS, Verb, pull, verbs
from sessions.models import Session
from sessions.selectors import sessions
from sessions.selectors.sessions import View

AT_MOST = 500
PAIR = 2
Action = Callable[[Any, HttpRequest, QuerySet[Session]], HttpResponse]
PAST = {"start": "started", "pause": "paused", "stop": "stopped", "end": "ended"}


@dataclass(frozen=True, slots=True)
class Fate:
    """A session and what the verb means for it."""

    view: View
    verb: Verb

    @property
    def chip(self) -> SafeString:
        """The state before the verb."""
        return marks.chip(self.view.session.state, marks.SESSION)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A session that the service refused, and why."""

    session: Session
    why: str
    code: str


def _action(verb: str) -> Action:
    title = LABELS[verb][0]

    @admin.action(description=title, permissions=["change"])
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse:
        rows = chosen(queryset)
        if request.POST.get("confirm"):
            return _carry_out(model_admin, request, verb, rows)
        return _preview(model_admin, request, verb, rows)

    act.__name__ = verb
    return act


def chosen(queryset: QuerySet[Session]) -> list[Session]:
    """The sessions that were chosen, so many at most."""
    return list(queryset.select_related("owner", "team")[:AT_MOST])


start, pause, stop, end = (_action(verb) for verb in PAST)


@admin.action(description="Compare", permissions=["compare"])
def compare(
    _model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]
) -> HttpResponse | None:
    """The page that has two sessions side by side, the older one as what the other is compared with."""
    rows = list(queryset.order_by("-created_at", "-pk")[:3])
    if len(rows) != PAIR:
        messages.warning(request, "Two sessions are compared: select two.")
        return None
    address = reverse("admin:aegis_sessions_session_compare", args=[rows[0].pk])
    return HttpResponseRedirect(f"{address}?with={rows[1].pk}")


def _preview(
    model_admin: Any, request: HttpRequest, verb: str, rows: Sequence[Session], problem: str = ""
) -> HttpResponse:
    views = sessions.views(rows, now=timezone.now())
    fates = [Fate(view, _verb(view.session, verb)) for view in views]
    moved = [fate for fate in fates if fate.verb.is_allowed and not fate.verb.is_noop]
    context = {
        "fates": fates,
        "moved": moved,
        "others": [fate for fate in fates if fate not in moved],
        "environments": environments(fate.view.session for fate in moved),
        "participants": sum(fate.view.present_count for fate in moved),
        "effect": EFFECTS[verb],
        "needs_reason": any(fate.verb.needs_reason for fate in moved),
        "reason": request.POST.get("reason", ""),
        "problem": problem,
        **selected(rows),
    }
    return _lever_page(model_admin, request, "bulk", verb, context)


def _verb(session: Session, name: str) -> Verb:
    return next(verb for verb in verbs(session) if verb.name == name)


def selected(rows: Sequence[Session]) -> dict[str, Any]:
    """What a form says of the sessions that it is about; whether there may be more than those."""
    most = AT_MOST if len(rows) == AT_MOST else None
    return {"selected": [str(row.pk) for row in rows], "most": most}


def environments(rows: Iterable[Session]) -> list[tuple[str, int]]:
    """How many of some sessions are in which environment, production first."""
    counted = Counter(row.environment for row in rows)
    return sorted(counted.items(), key=lambda pair: (pair[0] != "production", pair[0]))


def states(rows: Iterable[Session]) -> list[tuple[SafeString, int]]:
    """How many of some sessions are in which state, the most first."""
    counted = Counter(row.state for row in rows)
    return [(marks.chip(word, marks.SESSION), count) for word, count in counted.most_common()]


def _carry_out(
    model_admin: Any, request: HttpRequest, verb: str, rows: Sequence[Session]
) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:500]
    if not reason and reasons.is_needed(*rows):
        return _preview(model_admin, request, verb, rows, reasons.PRODUCTION)
    done, refused = [], []
    for row in rows:
        try:
            pull(principal=asking(request), session_id=row.pk, verb=verb, reason=reason)
            done.append(row)
        except AegisError as error:
            refused.append(Refusal(row, error.message, error.code))
    context = {
        "done": done,
        "refused": refused,
        "past": PAST[verb],
        "selected": [str(refusal.session.pk) for refusal in refused],
        "reason": reason,
    }
    return _lever_page(model_admin, request, "bulk_done", verb, context)


def _lever_page(
    model_admin: Any, request: HttpRequest, template: str, verb: str, context: dict[str, Any]
) -> HttpResponse:
    said = {"verb": verb, "label": LABELS[verb][0].rstrip("…"), **context}
    return render(model_admin, request, template, said)


def render(
    model_admin: Any, request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    """A page about several sessions."""
    shared = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"{context['label']} sessions",
        "is_fullwidth": "1",
    }
    return TemplateResponse(request, f"admin/aegis/{template}.html", shared | context)
