"""Replay: the place, and reviewing what a session did, in which nothing runs."""

from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from aegis_project import marks
from aegis_project.kit.errors import ValidationFailed
from components.admin.asking import asking
from sessions.admin import instants, keeping, lanes
from sessions.admin.events import in_words
from sessions.admin.fragments import fragment
from sessions.admin.redrive import SPEEDS, may_drive
from sessions.core.errors import SessionNotFound
from sessions.models import Session
from sessions.selectors import sessions, timeline
from sessions.selectors.reviewing import MOST, milliseconds
from streaming.selectors import tape

NAME = "aegis_sessions_replay_changelist"
SHOWN = 20
LAST_MOMENT = 253_402_300_799_000


@require_GET
def place(request: HttpRequest) -> HttpResponse:
    """The sessions that moved last, each with what can be done with its past."""
    principal = asking(request)
    if not principal.allows("sessions:read"):
        raise PermissionDenied
    now = timezone.now()
    found = sessions.visible(principal).order_by("-last_activity_at", "-id")[:SHOWN]
    rows = [
        {
            "session": row,
            "state": marks.chip(row.state, marks.SESSION),
            "moved": marks.clock(row.last_activity_at, now=now),
            "recorded": tape.recorded(row.pk) if principal.allows("topics:read") else [],
        }
        for row in found
    ]
    context = {
        **admin.site.each_context(request),
        "title": "Replay",
        "content_title": "Replay",
        "is_fullwidth": "1",
        "rows": rows,
        "may_review": principal.allows("events:read"),
        "may_drive": may_drive(principal),
    }
    return TemplateResponse(request, "admin/aegis/replay.html", context)


@require_GET
def show(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The past of a session with a bar that moves through it."""
    principal = asking(request)
    if not principal.allows("events:read"):
        raise PermissionDenied
    try:
        session = sessions.find(principal, session_id)
    except SessionNotFound:
        raise Http404 from None
    drawing = lanes.Drawing()
    before = int(asked) if _is_instant(asked := request.GET.get("lanes", "")) else None
    drawing.read(session) if before is None else drawing.look_back(session, before)
    shown = drawing.shown(session)
    shown["flags"] += keeping.on_lanes(principal, session)
    events = timeline.drawn(session.pk, before=before, limit=MOST)
    steps = in_words(session.pk, events)
    begin, end = shown["from"], max([shown["from"], *(milliseconds(one.at) for one in steps)])
    context = {
        **admin.site.each_context(request),
        "opts": Session._meta,
        "original": session,
        "title": session.name or session.key,
        "is_fullwidth": "1",
        "session": session,
        "window": drawing.window(session),
        "lanes": shown | {"closed": end},
        "strips": instants.strips(principal, session, begin=begin, end=end),
        "steps": steps,
        "stops": [
            [milliseconds(one.at), one.seq, one.sentence.mark.tone, one.sentence.what]
            for one in steps
        ],
        "speeds": SPEEDS,
        "at": _at(request, begin=begin, end=end),
        "end": end,
        "may_drive": may_drive(principal) and tape.recorded(session.pk),
    }
    return TemplateResponse(request, "admin/aegis/review.html", context)


def _at(request: HttpRequest, *, begin: int, end: int) -> int:
    """Where it begins: at the instant of the address, else at the beginning."""
    asked = request.GET.get("t", "")
    return min(max(int(asked), begin), end) if _is_instant(asked) else begin


def _is_instant(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16 and int(text) < LAST_MOMENT


@require_GET
@fragment
def instant(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """
    How everything stood at one instant (``t``, unix ms).

    :raises PermissionDenied: without the scope events:read
    :raises SessionNotFound: if it is not there for whoever asks
    :raises ValidationFailed: for no instant
    """
    principal = asking(request)
    principal.require("events:read")
    session = sessions.find(principal, session_id)
    asked = request.GET.get("t", "")
    if not _is_instant(asked):
        raise ValidationFailed("t is an instant in unix milliseconds.", field="t")
    context = instants.stood(principal, session, at=int(asked))
    return render(request, "admin/aegis/instant.html", context)
