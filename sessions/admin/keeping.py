"""Bookmarks on the page of a session: its flags, and the form in the drawer of an event."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from sessions.models import Bookmark, Session
from sessions.selectors import bookmarks as reading
from sessions.selectors import timeline
from sessions.selectors.reviewing import milliseconds
from sessions.services import bookmarks
from sessions.services.bookmarks import Mark


def flags(principal: Principal, session: Session) -> list[dict[str, Any]]:
    """The bookmarks of a session, each with the address of what it is of."""
    return [
        {"row": row, "address": _query(row), "is_own": row.owner == principal.id}
        for row in reading.flags(principal, session)
    ]


def on_lanes(principal: Principal, session: Session) -> list[list[Any]]:
    """The same as flags on the lanes: when what is kept was, its name, its position, its kind."""
    rows = reading.flags(principal, session) if principal.allows("sessions:read") else []
    wanted = [row.seq for row in rows if row.seq is not None]
    found = timeline.of_session(session.pk).filter(seq__in=wanted) if wanted else ()
    at = {event.seq: milliseconds(event.ts) for event in found}
    drawn = []
    for row in rows:
        when = milliseconds(row.message.created_at) if row.message else at.get(row.seq or 0)
        if when is not None:
            drawn.append([when, str(row), row.seq or 0, "bookmark"])
    return drawn


def _query(row: Bookmark) -> str:
    if row.message is None:
        return f"?{urlencode({'tab': 'timeline', 'at': row.seq})}"
    return f"?{urlencode({'tab': 'conversation'})}#m-{row.message_id}"


def own(principal: Principal, session: Session, seq: int) -> Bookmark | None:
    """The bookmark that the principal has of an event."""
    rows = reading.readable(principal).filter(session=session, seq=seq, owner=principal.id)
    return rows.first()


@require_POST
def keep(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Keep an event, say something else of it, or let it go; back to where it stands."""
    seq = request.POST.get("seq", "")
    try:
        _carry_out(asking(request), session_id, request)
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
    address = reverse("admin:aegis_sessions_session_change", args=[session_id])
    at = {"at": seq} if seq.isdecimal() else {}
    return HttpResponseRedirect(f"{address}?{urlencode({'tab': 'timeline', **at})}")


def _carry_out(principal: Principal, session_id: UUID, request: HttpRequest) -> None:
    said: dict[str, Any] = {
        "name": request.POST.get("name", "").strip(),
        "note": request.POST.get("note", "").replace("\r\n", "\n").strip(),
        "is_shared": bool(request.POST.get("is_shared")),
    }
    bookmark, seq = request.POST.get("bookmark", ""), request.POST.get("seq", "")
    if "remove" in request.POST:
        bookmarks.remove(principal=principal, bookmark=bookmark)
    elif bookmark:
        bookmarks.change(principal=principal, bookmark=bookmark, changes=said)
    else:
        place = int(seq) if seq.isdecimal() and len(seq) < 16 else None
        bookmarks.create(principal=principal, session=session_id, mark=Mark(seq=place, **said))
