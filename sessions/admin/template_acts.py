"""What is done with a template beside changing it: tried, set back, mended."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError, PermissionDenied
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from sessions.models import Preset
from sessions.selectors import agents
from sessions.selectors import presets as reading
from sessions.services import presets, trying

PREFIX = "aegis_sessions_preset_"


def urls(model_admin: Any) -> list[URLPattern]:
    """The addresses of the buttons of a template's page."""
    acts = {"test": _test, "activate": _activate, "agent": _agent}
    return [
        path(
            f"<int:pk>/{name}/",
            model_admin.admin_site.admin_view(require_POST(_button(model_admin, act))),
            name=f"{PREFIX}{name}",
        )
        for name, act in acts.items()
    ]


def _button(model_admin: Any, act: Any) -> Any:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        row = model_admin.find(request, pk)
        try:
            target: str = act(request, row)
        except PermissionDenied as error:
            return HttpResponse(error.message, status=403, content_type="text/plain")
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
            target = address(row)
        return HttpResponseRedirect(target)

    return view


def may_make(principal: Principal) -> set[str]:
    """Which of the things that a template may miss the principal may make."""
    scopes = {"agent": "agents:write", "policy": "policies:write", "program": "programs:write"}
    return {kind for kind, scope in scopes.items() if principal.allows(scope)}


def address(row: Preset) -> str:
    """Where a template is seen."""
    return reverse(f"admin:{PREFIX}change", args=[row.pk])


def _test(request: HttpRequest, row: Preset) -> str:
    made = trying.on_paper(principal=asking(request), template=row.slug)
    messages.info(request, "On paper: what its tools would do outside of it is not carried out.")
    return reverse("admin:aegis_sessions_session_change", args=[made.session.pk])


def _activate(request: HttpRequest, row: Preset) -> str:
    said = request.POST.get("version", "")
    number = int(said) if said.isdecimal() and len(said) < 10 else 0
    presets.activate(principal=asking(request), template=row.slug, version=number)
    messages.info(request, f"New sessions of {row} are made from version {number}.")
    return address(row)


def _agent(request: HttpRequest, row: Preset) -> str:
    principal, slug = asking(request), request.POST.get("agent", "")
    recipe = {**reading.version_of(row).recipe, "agent": agents.find(principal, slug).slug}
    presets.change(
        principal=principal,
        template=row.slug,
        changes={},
        recipe=recipe,
        note=f"answered by {slug}"[:200],
    )
    messages.info(request, f"{slug} answers in new sessions of {row}.")
    return address(row)
