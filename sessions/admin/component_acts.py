"""What people do with a component from its page: ask it, take it out, have it begin anew."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError, ValidationFailed
from components.admin.asking import asking
from components.core.asks import Level
from sessions.api.participants import answer
from sessions.services import participants
from sessions.services.participants import Moved

WAITS_SECONDS = 5.0


@require_POST
def detach(request: HttpRequest, session_id: UUID, component_id: UUID) -> HttpResponse:
    """Take it out of its session."""
    said = "{} is taken out of its session."
    return _carried_out(request, participants.detach, said, session_id, component_id)


@require_POST
def restart(request: HttpRequest, session_id: UUID, component_id: UUID) -> HttpResponse:
    """Have its program end and begin anew."""
    return _carried_out(request, participants.restart, "{} begins anew.", session_id, component_id)


@require_POST
def ping(request: HttpRequest, session_id: UUID, component_id: UUID) -> HttpResponse:
    """Have it answer, and say after how long."""

    def ask() -> str:
        found = participants.ping(
            principal=asking(request), session=session_id, component=str(component_id)
        )
        told = answer(found, within_seconds=WAITS_SECONDS)
        if told.round_trip_ms is None:
            return (
                f"{told.name} did not answer within {WAITS_SECONDS:.0f} s. Older clients never do."
            )
        return f"{told.name} answered after {told.round_trip_ms:.1f} ms."

    return _asked(request, component_id, ask)


@require_POST
def log_level(request: HttpRequest, session_id: UUID, component_id: UUID) -> HttpResponse:
    """Have it log more, or less."""

    def ask() -> str:
        level = request.POST.get("level", "")
        if level not in set(Level):
            raise ValidationFailed(f"A level is one of {', '.join(Level)}.", field="level")
        found = participants.log_level(
            principal=asking(request),
            session=session_id,
            component=str(component_id),
            level=Level(level),
        )
        told = answer(found, within_seconds=WAITS_SECONDS)
        if told.error:
            return f"{told.name} says: {told.error}"
        if told.is_answered:
            return f"{told.name} logs {level}."
        return f"{told.name} did not say that it logs {level}."

    return _asked(request, component_id, ask)


def _asked(request: HttpRequest, component_id: UUID, ask: Callable[[], str]) -> HttpResponse:
    """Back to the page of the component, with what came of asking it."""
    try:
        messages.info(request, ask())
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
    page = reverse("admin:aegis_components_component_change", args=[component_id])
    return HttpResponseRedirect(page)


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
