"""The page that makes a session of a capsule."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from components.admin.asking import asking, teams
from sessions.files.capsules import Reader
from sessions.models import Session
from sessions.services import capsules

NAME = "aegis_sessions_session_bring"


def may(principal: Principal) -> bool:
    """Whether the principal may bring sessions in."""
    return principal.allows("sessions:write") and principal.allows("sessions:control")


def show(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, or the page of the session that it made; a script sends it and tells how far it is."""
    principal = asking(request)
    if not may(principal):
        raise PermissionDenied
    problem = None
    if request.method == "POST":
        try:
            made = _brought(principal, request)
        except AegisError as error:
            problem = error
        else:
            messages.info(request, "Brought in. Nothing of it goes on by itself.")
            return HttpResponseRedirect(_page(made))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Import a session",
        "teams": [team.name for team in teams(principal)],
        "said": request.POST,
        "problem": problem,
        "request_id": getattr(request, "request_id", ""),
    }
    status = problem.status if problem else 200
    return TemplateResponse(request, "admin/aegis/bring.html", context, status=status)


def _brought(principal: Principal, request: HttpRequest) -> Session:
    file = request.FILES.get("file")
    if file is None:
        raise ValidationFailed("Choose a file first.", fields=["file"])
    found = capsules.bring(
        principal=principal,
        capsule=Reader(file),
        key=request.POST.get("key", "").strip(),
        team=request.POST.get("team", ""),
    )
    return found.session


def _page(made: Session) -> str:
    return reverse("admin:aegis_sessions_session_change", args=[made.pk])
