"""The form that sends a recording again: what of it, how fast, and to whom."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.moments import stamp
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from components.core.lifecycle import Role
from sessions.admin.fragments import found_by
from sessions.core import pace
from sessions.models import Session
from sessions.selectors import checkpoints, sessions
from sessions.services import redrives
from sessions.services.redrives import Drive
from streaming.core import topics as names
from streaming.selectors import logs, tape

SPEEDS = (0.25, 0.5, 1, 2, 5, 10, 25, 50, 100)
# Above so many topics they are named by patterns.
MOST_BOXES = 60


@require_http_methods(["GET", "POST"])
def redrive(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Ask what of a recording is sent again, and make the session that does; the old one stays."""
    principal = asking(request)
    if not may_drive(principal):
        raise PermissionDenied
    session = found_by(lambda: sessions.find(principal, session_id))
    if request.method == "GET":
        return _page(request, principal, session)
    try:
        drive = _drive(request, _topics(principal, session))
        made = redrives.redrive(principal=principal, session=session.pk, drive=drive)
    except AegisError as error:
        return _page(request, principal, session, problem=error)
    messages.info(request, "Made of the recording. It is sent when this session is started.")
    address = reverse("admin:aegis_sessions_session_change", args=[made.session.pk])
    return HttpResponseRedirect(address)


def may_drive(principal: Principal) -> bool:
    """Whether the principal may send recordings again."""
    return principal.allows("sessions:write") and principal.allows("topics:read")


def _page(
    request: HttpRequest,
    principal: Principal,
    session: Session,
    *,
    problem: AegisError | None = None,
) -> HttpResponse:
    said = request.POST or request.GET
    topics = _topics(principal, session)
    chosen = said.getlist("topics")
    first, last = tape.span(session.pk, topics)
    context = {
        **admin.site.each_context(request),
        "title": f"Re-drive {session.name or session.key}",
        "is_fullwidth": "1",
        "session": session,
        "problem": problem,
        "request_id": getattr(request, "request_id", ""),
        "said": said,
        "topics": [(name, not chosen or name in chosen) for name in topics],
        "unrecorded": _unrecorded(principal, session, topics),
        "patterns": " ".join(chosen),
        "is_boxed": len(topics) <= MOST_BOXES,
        "speeds": [(f"{one:g}", pace.said(one)) for one in SPEEDS],
        "speed": said.get("speed", "1"),
        "first": _moment(first),
        "last": _moment(last),
        "parts": [
            one["name"] for one in checkpoints.participants(session.pk) if one["role"] != Role.FEED
        ],
    }
    status = problem.status if problem else 200
    return TemplateResponse(request, "admin/aegis/redrive.html", context, status=status)


def _topics(principal: Principal, session: Session) -> list[str]:
    return [name for name in tape.recorded(session.pk) if logs.may_see(principal, name)]


def _unrecorded(principal: Principal, session: Session, recorded: list[str]) -> list[str]:
    seen = [name for name in logs.names(session.pk) if logs.may_see(principal, name)]
    return sorted(
        name for name in seen if not names.is_reserved(name) and name not in set(recorded)
    )[:MOST_BOXES]


def _drive(request: HttpRequest, recorded: list[str]) -> Drive:
    said = request.POST
    topics = " ".join(said.getlist("topics")).split()
    if "chooses" in said and recorded and not topics:
        raise ValidationFailed("Choose at least one topic.", field="topics")
    return Drive(
        key=_text(request, "key"),
        name=_text(request, "name")[:200],
        speed=_speed(said.get("speed", "0")),
        from_=_text(request, "from") or 0,
        to=_text(request, "to") or 0,
        # All of them is what it means to name none.
        topics=() if topics == recorded else tuple(topics),
        loop="loop" in said,
    )


def _speed(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValidationFailed("speed is a number.", field="speed") from None


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()


def _moment(ms: int | None) -> dict[str, Any] | None:
    try:
        return (
            {"ms": ms, "iso": stamp(datetime.fromtimestamp((ms or 0) / 1000, UTC))} if ms else None
        )
    except (ValueError, OverflowError):
        # A tape may say any number.
        return {"ms": ms, "iso": str(ms)}
