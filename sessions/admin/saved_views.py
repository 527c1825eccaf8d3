"""Saved views of a list: their tabs, and the form that keeps, renames and removes one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.core import saved_views as core
from sessions.selectors import saved_views as reading
from sessions.services import saved_views


def context(request: HttpRequest, of: str, *, address: str) -> dict[str, Any]:
    """What the template of the tabs needs; ``address`` is where the form is sent."""
    try:
        now = core.kept(of, request.GET.urlencode())
    except AegisError:
        # An address that is too long to be kept is none of those that were.
        now = ""
    rows = reading.own(asking(request), of)
    current = next((row for row in rows if row.query == now), None)
    return {
        "saved_views": rows,
        "saved_current": current,
        "saved_query": now,
        "saved_address": reverse(f"admin:{address}"),
        "saved_longest": core.LONGEST_NAME,
    }


def answer(model_admin: Any, request: HttpRequest, of: str, *, page: str) -> HttpResponse:
    """Do what the form asks for, and go back to the list as it was, or as it is now called."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    return _answer(request, of, reverse(f"admin:{page}"))


@require_POST
def _answer(request: HttpRequest, of: str, page: str) -> HttpResponse:
    said = {name: request.POST.get(name, "") for name in ("act", "view", "name", "query")}
    principal, query = asking(request), ""
    try:
        query = core.kept(of, said["query"])
        if said["act"] == "rename":
            saved_views.rename(principal=principal, view=said["view"], name=said["name"])
        elif said["act"] == "remove":
            saved_views.remove(principal=principal, view=said["view"])
        else:
            saved_views.create(principal=principal, of=of, name=said["name"], query=query)
    except AegisError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(f"{page}?{query}")
