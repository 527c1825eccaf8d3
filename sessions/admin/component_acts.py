"""What people do with a component from its page: take it out, or have its program begin anew."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.services import participants
from sessions.services.participants import Moved


@require_POST
def detach(request: HttpRequest, session_id: UUID, component_id: UUID) -> HttpResponse:
    """Take it out of its session."""
    said = "{} is taken out of its session."
    return _carried_out(request, participants.detach, said, session_id, component_id)


@require_POST
def restart(request: HttpRequest, session_id: UUID, component_id: UUID) -> HttpResponse:
    """Have its program end and begin anew."""
    return _carried_out(request, participants.restart, "{} begins anew.", session_id, component_id)


def _carried_out(
    request: HttpRequest,
    act: Callable[..., Moved],
    said: str,
    session_id: UUID,
    component_id: UUID,
) -> HttpResponse:
    """Back to the page of the component, or, where it is gone, to who is left."""
    page = reverse("admin:aegis_components_component_change", args=[component_id])
    try:
        moved = act(principal=asking(request), session=session_id, component=str(component_id))
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(page)
    messages.info(request, said.format(moved.component.name))
    if moved.is_forgotten:
        session = reverse("admin:aegis_sessions_session_change", args=[session_id])
        page = f"{session}?tab=participants"
    return HttpResponseRedirect(page)
