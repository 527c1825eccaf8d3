"""What people do on a card: decide, and say that they look at it; a script gets the card anew."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import approval_card as card
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


def _shown(request: HttpRequest, row: Approval) -> JsonResponse:
    principal = asking(request)
    fresh = reading.find(principal, row)
    known = situation.now(fresh) if fresh.is_open else None
    course = situation.course_now(fresh) if fresh.is_open else None
    parts = card.parts(fresh, principal, known=known, course=course, now=timezone.now())
    return JsonResponse({"state": fresh.state, "is_open": fresh.is_open, "parts": parts})


def _refused(request: HttpRequest, error: AegisError) -> JsonResponse:
    body: dict[str, Any] = {**error.as_dict(), "request_id": getattr(request, "request_id", "")}
    again = error.details.get("approval") if error.code == "APPROVAL_STALE" else None
    if again:
        messages.warning(request, "What it rests on has moved. Look at it again.")
        body["url"] = reverse(ONE, args=[again])
    return JsonResponse({"error": body}, status=error.status)
