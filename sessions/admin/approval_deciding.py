"""What people do on a card: decide, and say that they look at it; a script gets the card anew."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import approval_card as card
from sessions.admin import approval_situation
from sessions.admin.approval_form import DecideForm
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import situation
from sessions.services import approvals, handing

ONE = "admin:aegis_sessions_approval_change"


def decide(request: HttpRequest, row: Approval) -> JsonResponse:
    """Approve, when the form says so, or reject."""
    form = DecideForm(request.POST, approval=row)
    try:
        form.decide(asking(request), approved="approve" in request.POST)
    except AegisError as error:
        return _refused(request, error)
    return _shown(request, row)


def claim(request: HttpRequest, row: Approval) -> JsonResponse:
    """Say that one looks at it or no longer does, or leave it to somebody else."""
    principal, to = asking(request), request.POST.get("to", "")
    try:
        if to:
            handing.hand_over(principal=principal, approval=row, to=to)
        else:
            approvals.claim(principal=principal, approval=row, release="release" in request.POST)
    except AegisError as error:
        return _refused(request, error)
    return _shown(request, row)


def measure(request: HttpRequest, row: Approval) -> JsonResponse:
    """Measure again what the decision rests on, and say when, and what came of it."""
    return _shown(request, row, says=approval_situation.measured)


def digest(request: HttpRequest, row: Approval) -> JsonResponse:
    """The digest that the call would have, with the arguments of the form."""
    try:
        asking(request).require("approvals:decide")
        found = DecideForm(request.POST, approval=row).digest()
    except AegisError as error:
        return _refused(request, error)
    return JsonResponse({"digest": found})


def _shown(
    request: HttpRequest, row: Approval, *, says: Callable[..., str] | None = None
) -> JsonResponse:
    principal, now = asking(request), timezone.now()
    fresh = reading.find(principal, row)
    known = situation.now(fresh) if fresh.is_open else None
    course = situation.course_now(fresh) if fresh.is_open else None
    parts = card.parts(fresh, principal, known=known, course=course, now=now)
    told = {"checked": says(fresh, known, now=now)} if says else {}
    shown = {"state": fresh.state, "is_open": fresh.is_open, "parts": parts}
    return JsonResponse(shown | told)


def _refused(request: HttpRequest, error: AegisError) -> JsonResponse:
    body: dict[str, Any] = {**error.as_dict(), "request_id": getattr(request, "request_id", "")}
    again = error.details.get("approval") if error.code == "APPROVAL_STALE" else None
    if again:
        messages.warning(request, "What it rests on has moved. Look at it again.")
        body["url"] = reverse(ONE, args=[again])
    return JsonResponse({"error": body}, status=error.status)
