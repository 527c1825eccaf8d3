"""The Topics monitor: its address, its rows, and the addresses of single topics."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from aegis_project.lists import PlainAdmin
from components.admin.asking import asking
from sessions.admin import monitor, topic_cells, topic_page
from sessions.selectors import monitor as topics
from sessions.selectors.monitor import Wanted
from streaming.models import Log

MOST_WORDS = 100


@admin.register(Log)
class TopicAdmin(PlainAdmin):
    """Topics are watched here, and read and published on their own page; nothing is edited."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The monitor in the place of a change list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Topics",
            "content_title": "Topics",
            "is_fullwidth": "1",
            "columns": topic_cells.COLUMNS,
            **_page(request),
        }
        return TemplateResponse(request, "admin/aegis/topics/monitor.html", context)

    def topic_view(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """One topic, within the admin's frame."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = topic_page.show(request, **kwargs)
        shown.context_data = {
            **self.admin_site.each_context(request),
            **(shown.context_data or {}),
        }
        return shown

    def row_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page of a topic by its row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = topics.visible(asking(request)).filter(pk=pk).first()
        if row is None:
            raise Http404
        return redirect("admin:aegis_streaming_log_topic", row.session_id, row.name)

    def get_urls(self) -> list[URLPattern]:
        """The monitor and single topics; rows of logs have no pages of their own."""
        own = [
            ("", "changelist", self.changelist_view),
            ("<int:pk>/change/", "change", self.row_view),
            ("<uuid:session_id>/<str:topic>/", "topic", self.topic_view),
            ("<uuid:session_id>/<str:topic>/publish/", "publish", topic_page.publish),
        ]
        return [
            path(address, self.admin_site.admin_view(view), name=f"aegis_streaming_log_{name}")
            for address, name, view in own
        ]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("topics:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _page(request: HttpRequest) -> dict[str, Any]:
    principal, query = asking(request), request.GET
    view = query.get("view", "open")
    view = view if view in monitor.VIEWS else "open"
    found = monitor.oddities(principal, monitor.glance_from_thread([]))
    asked = Wanted(
        is_closed=view == "closed",
        session_id=_uuid(query.get("session", "")),
        words=query.get("q", "")[:MOST_WORDS],
        names=found.names(view) if view in monitor.ODD else None,
    )
    rows, has_more = topics.page(topics.wanted(principal, asked), after=_number(query, "after"))
    current = monitor.glance_from_thread((str(row.session_id), row.name) for row in rows)
    kept = query.copy()
    kept["after"] = str(rows[-1].pk) if rows else ""
    return {
        "view": view,
        "query": asked.words,
        "session_id": asked.session_id or "",
        "rows": monitor.table(monitor.seen(rows, current.readings), now=timezone.now()),
        "parts": monitor.parts(found, current, view=view, query=query.dict()),
        "next": f"?{kept.urlencode()}" if has_more else "",
        "is_first": "after" not in query,
        "is_narrow": view not in {"open", "closed"} or asked.words or asked.session_id,
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(query: Any, name: str) -> int | None:
    value = query.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 16 else None
