"""The page of one topic: its address, and publishing by hand."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import publishing, topic_parts
from sessions.admin.heading import Heading
from sessions.core.errors import SessionNotFound
from streaming.core import topics
from streaming.core.errors import TopicNotFound, UnknownTopic
from streaming.models import Log
from streaming.selectors import logs

CHARTS = (("rate", "Records per second"), ("lag", "Largest lag, records"))


def show(request: HttpRequest, session_id: UUID, topic: str) -> TemplateResponse:
    """The page of a topic; who may not see it finds nothing here."""
    principal = asking(request)
    try:
        topics.check(topic)
        logs.check_readable(principal, topic)
        found = topic_parts.look_from_thread(session_id, topic)
        seen = topic_parts.load(principal, session_id, topic, found)
    except (SessionNotFound, TopicNotFound, UnknownTopic):
        raise Http404 from None
    session = seen.session
    context = {
        "opts": Log._meta,
        "title": topic,
        "original": Heading(Log, topic, seen.log.pk or 0, plural="Topics"),
        "is_fullwidth": "1",
        "seen": seen,
        "session": session,
        "topic": topic,
        "parts": topic_parts.render(seen, found),
        "series": topic_parts.series(seen.reading),
        "schema": topic_parts.schema(seen),
        "refusal": publishing.refusal(principal, session, topic),
        "others": [name for name in logs.names(session.pk) if name != topic],
        "charts": CHARTS,
    }
    return TemplateResponse(request, "admin/aegis/topic/page.html", context)


@require_POST
def publish(request: HttpRequest, session_id: UUID, topic: str) -> HttpResponse:
    """Publish one record, and say where it stands."""
    context: dict[str, Any] = {"request_id": getattr(request, "request_id", "")}
    try:
        offered = publishing.publish(
            principal=asking(request),
            session_id=session_id,
            topic=topic,
            text=request.POST.get("data", ""),
            confirmed=request.POST.get("confirmed", ""),
        )
    except AegisError as error:
        return render(
            request,
            "admin/aegis/topic/refused.html",
            context | {"error": error},
            status=error.status,
        )
    return render(request, "admin/aegis/topic/published.html", {"offered": offered})
