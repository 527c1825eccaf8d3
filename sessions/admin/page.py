"""The page of one session: its address, its fragments and its lever."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from aegis_project.kit.errors import AegisError
from components.admin import snippets
from components.admin.asking import asking
from sessions.admin import events as ledger
from sessions.admin import instants, keeping, lanes, panels, redrive, talking
from sessions.admin import lever as levers
from sessions.admin.fragments import fragment
from sessions.core.errors import SessionNotFound
from sessions.selectors import sessions, timeline
from sessions.selectors.reviewing import milliseconds
from sessions.services import creation

# The two forms of the timeline; without one, how wide the page is decides.
VIEWS = {"lanes": "Lanes", "list": "List"}


def show(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """The page, on the tab and at the position that the address names."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    try:
        page = panels.load(asking(request), object_id)
    except (SessionNotFound, ValidationError):
        raise Http404 from None
    tab = request.GET.get("tab", "timeline")
    tab = tab if tab in panels.TABS and panels.may_open(page, tab) else "timeline"
    shown = request.GET.get("show", "all")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": page.session,
        "title": page.session.name or page.session.key,
        "is_fullwidth": "1",
        "page": page,
        "session": page.session,
        "tab": tab,
        "tabs": panels.tabs(page, tab),
        "parts": panels.render(page, tab),
        "lever": panels.lever(page),
        **_timeline(request, page, shown if shown in ledger.SHOWS else "all"),
        **(_drawn(request, page) if tab == "timeline" else {}),
        **(talking.context(page) if tab == "conversation" else {}),
    }
    return TemplateResponse(request, "admin/aegis/session.html", context)


def _timeline(request: HttpRequest, page: panels.Page, shown: str) -> dict[str, Any]:
    at, before = _number(request, "at"), _number(request, "before")
    if at is not None and at < page.head - timeline.PAGE // 2:
        before = at + timeline.PAGE // 2
    found = ledger.stretch(page.session.pk, show=shown, before=before)
    return {
        "stretch": found,
        "rows": ledger.html(found.rows),
        "show": shown,
        "shows": _shows(page),
        "views": VIEWS,
        "at": at,
        "is_following": before is None,
    }


def _shows(page: panels.Page) -> list[tuple[str, str, int | None]]:
    """The quick filters, those of what is rare with how much there is of it."""
    may_read = page.principal.allows("events:read")
    counted = timeline.counts(page.session.pk, up_to=page.head) if may_read else {}
    return [(word, title, counted.get(word)) for word, title in ledger.SHOWS.items()]


def _drawn(request: HttpRequest, page: panels.Page) -> dict[str, Any]:
    """The lanes as they stand, and which of the two forms was asked for."""
    view = request.GET.get("view", "")
    drawing = lanes.Drawing()
    before = _number(request, "lanes")
    if page.principal.allows("events:read"):
        drawing.read(page.session) if before is None else drawing.look_back(page.session, before)
    shown = drawing.shown(page.session)
    shown["flags"] += keeping.on_lanes(page.principal, page.session)
    begin, end = shown["from"], shown["closed"]
    return {
        "flags": keeping.flags(page.principal, page.session),
        "lanes": shown,
        "window": drawing.window(page.session),
        "may_drive": redrive.may_drive(page.principal),
        # While it is open, the processes tell how fast its topics are.
        "strips": instants.strips(page.principal, page.session, begin=begin, end=end)
        if end is not None
        else [],
        "view": view if view in VIEWS else "",
    }


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 16 else None


@require_POST
def lever(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Carry out one verb; a script gets JSON, a plain form goes back to the page."""
    is_script = request.headers.get("Accept", "").startswith("application/json")
    verb = request.POST.get("verb", "")
    try:
        outcome = levers.pull(
            principal=asking(request),
            session_id=session_id,
            verb=verb,
            reason=request.POST.get("reason", "").strip()[:500],
        )
    except AegisError as error:
        return _refused(request, session_id, error, is_script=is_script)
    if is_script:
        state = {"state": outcome.session.state, "previous": outcome.previous}
        return JsonResponse({**state, "is_pending": outcome.is_pending})
    return HttpResponseRedirect(_address(session_id))


def _refused(
    request: HttpRequest, session_id: UUID, error: AegisError, *, is_script: bool
) -> HttpResponse:
    if is_script:
        request_id = getattr(request, "request_id", "")
        return JsonResponse(
            {"error": {**error.as_dict(), "request_id": request_id}}, status=error.status
        )
    messages.error(request, f"{error.message} ({error.code})")
    return HttpResponseRedirect(_address(session_id))


def _address(session_id: UUID) -> str:
    return reverse("admin:aegis_sessions_session_change", args=[session_id])


@require_GET
@fragment
def events(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Older rows of the timeline, before a position."""
    session = _readable(request, session_id)
    shown = request.GET.get("show", "all")
    found = ledger.stretch(session.pk, show=shown, before=_number(request, "before"))
    response = HttpResponse(ledger.html(found.rows))
    response["X-Oldest"] = str(found.oldest if found.has_older else "")
    return response


@require_GET
@fragment
def event(request: HttpRequest, session_id: UUID, seq: int) -> HttpResponse:
    """The drawer of one event."""
    session = _readable(request, session_id)
    found = timeline.at(session.pk, seq)
    if found is None:
        raise SessionNotFound("There is no event at this position.", seq=seq)
    body = timeline.body(found)
    context = {
        "row": ledger.in_words(session.pk, [found])[0],
        "event": found,
        "cause": body.get("cause") or "",
        "data": ledger.pretty(body.get("data") or {}),
        "session": session,
        "now": timezone.now(),
        "instant": str(milliseconds(found.ts)),
        "bookmark": keeping.own(asking(request), session, seq),
        "may_share": asking(request).allows("sessions:write"),
    }
    return render(request, "admin/aegis/session/event.html", context)


def _readable(request: HttpRequest, session_id: UUID) -> Any:
    principal = asking(request)
    principal.require("events:read")
    return sessions.find(principal, session_id)


@require_POST
@fragment
def token(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A new session token, shown this once with the lines that use it."""
    issued = creation.issue_token(
        principal=asking(request), session=session_id, component=request.GET.get("component", "")
    )
    scheme = "wss" if request.is_secure() else "ws"
    lines = [snippets.environment(request, issued.secret)]
    component = issued.credential.component
    frame = {
        "session_token": issued.secret,
        "name": component.name if component else "my-feed",
        "topics": ["klines.BTCUSDT.1m"],
    }
    context = {
        "shell": "\n".join([*lines, *([] if component else ["python examples/feed.py"])]),
        "frame": json.dumps(frame),
        "socket": f"{scheme}://{request.get_host()}/ws/control",
        "prefix": issued.credential.prefix,
    }
    response = render(request, "admin/aegis/session/token.html", context)
    response["Cache-Control"] = "no-store"
    return response
