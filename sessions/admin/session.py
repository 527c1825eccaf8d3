"""The session list of the admin, and the addresses of the session page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from aegis_project.lists import PlainAdmin, PlainChangeList
from components.admin.asking import asking
from sessions.admin import (
    artifacts,
    bring,
    bulk,
    bulk_changes,
    bulk_export,
    cells,
    checkpoints,
    compare,
    component_acts,
    create,
    filters,
    keeping,
    page,
    redrive,
    review,
    saved_views,
    saw,
    statistics,
    talking,
    views,
)
from sessions.models import Session
from sessions.selectors import comparing, sessions
from sessions.services import assigning, capsules, tags

SAVED = "aegis_sessions_session_views"
LISTED = "aegis_sessions_session_changelist"


class SessionChangeList(PlainChangeList):
    """Rows with what is derived about them."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then what is derived and counted of all its rows at once."""
        super().get_results(request)
        found = cells.rows(asking(request), self.result_list, now=timezone.now())
        for row in self.result_list:
            row.cells = found[row.pk]


def _column(name: str, description: str, ordering: str | None = None) -> Any:
    @admin.display(description=description, ordering=ordering)
    def show(_: Any, row: Any) -> SafeString:
        return row.cells[name]  # type: ignore[no-any-return]

    show.__name__ = name
    return show


@admin.register(Session)
class SessionAdmin(PlainAdmin):
    """Sessions are listed here, steered on their own page, and made through their service."""

    name_cell = _column("name_cell", "Session", "name")
    state_cell = _column("state_cell", "State and conditions", "state")
    kind_cell = _column("kind_cell", "Kind", "kind")
    environment_cell = _column("environment_cell", "Environment", "environment")
    participants_cell = _column("participants_cell", "Part.")
    waiting_cell = _column("waiting_cell", "Wait")
    errors_cell = _column("errors_cell", "Err 24 h")
    active_cell = _column("active_cell", "Active", "last_activity_at")
    owner_cell = _column("owner_cell", "Owner", "owner_label")

    list_display = cells.COLUMNS
    list_select_related = ("owner",)
    list_filter = (
        filters.ViewFilter,
        filters.StateFilter,
        filters.ConditionFilter,
        filters.EnvironmentFilter,
        filters.KindFilter,
        filters.ModeFilter,
        filters.TagFilter,
    )
    search_fields = ("name", "key")
    search_help_text = "Name, key, id, tag, participant or topic"
    ordering = ("-created_at", "-id")
    actions = (
        *(bulk.start, bulk.pause, bulk.stop, bulk.end, bulk.compare),
        *(bulk_changes.tag, bulk_changes.assign, bulk_export.export),
    )
    change_list_template = "admin/aegis/sessions.html"
    show_add_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return sessions.visible(asking(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SessionChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Session], search_term: str
    ) -> tuple[QuerySet[Session], bool]:
        if not search_term:
            return queryset, False
        return filters.search(asking(request), queryset, search_term), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = {one.__name__ for one in self.actions}
        return {name: one for name, one in super().get_actions(request).items() if name in own}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with its views as tabs."""
        current = filters.current_view(request)
        counts = views.counts(asking(request)) if self.has_view_permission(request) else {}
        tabs = [
            {"word": word, "view": view, "is_current": word == current, "count": counts.get(word)}
            for word, view in views.VIEWS.items()
        ]
        shown: HttpResponse = super().changelist_view(
            request,
            {
                "title": "Sessions",
                "aegis_tabs": tabs,
                **saved_views.context(request, "sessions", address=SAVED),
                "may_bring": bring.may(asking(request)),
                "columns": [
                    (name, getattr(self, name).short_description) for name in cells.COLUMNS[1:]
                ],
                **(extra_context or {}),
            },
        )
        return shown

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:session_id>/{name}",
                self.admin_site.admin_view(view),
                name=f"aegis_sessions_session_{label}",
            )
            for name, label, view in (
                ("lever/", "lever", page.lever),
                ("events/", "events", page.events),
                ("events/<int:seq>/", "event", page.event),
                ("token/", "token", page.token),
                ("bookmark/", "bookmark", keeping.keep),
                ("conversation/", "conversation", talking.earlier),
                ("saw/<uuid:run_id>/", "saw", saw.show),
                ("components/<uuid:component_id>/detach/", "detach", component_acts.detach),
                ("components/<uuid:component_id>/restart/", "restart", component_acts.restart),
                ("components/<uuid:component_id>/ping/", "ping", component_acts.ping),
                ("components/<uuid:component_id>/level/", "log_level", component_acts.log_level),
                ("say/", "say", talking.say),
                ("cancel/", "cancel", talking.cancel),
                ("review/", "review", review.show),
                ("compare/", "compare", compare.show),
                ("instant/", "instant", review.instant),
                ("redrive/", "redrive", redrive.redrive),
                *checkpoints.VIEWS,
                *artifacts.VIEWS,
            )
        ]
        numbers = path(
            "statistics/", self.admin_site.admin_view(statistics.show), name=statistics.NAME
        )
        saved = path("views/", self.admin_site.admin_view(self.saved_view), name=SAVED)
        brings = path("import/", self.admin_site.admin_view(self.bring_view), name=bring.NAME)
        replay = path("replay/", self.admin_site.admin_view(review.place), name=review.NAME)
        return [numbers, saved, brings, replay, *own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The session's own page in the place of a form."""
        return page.show(self, request, object_id)

    def saved_view(self, request: HttpRequest) -> HttpResponse:
        """A view of the list is kept, renamed or removed."""
        return saved_views.answer(self, request, "sessions", page=LISTED)

    def bring_view(self, request: HttpRequest) -> HttpResponse:
        """A session of a capsule."""
        return bring.show(self, request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Our own form, because Django's opens a transaction around what the service audits."""
        return create.show(self, request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("sessions:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows("sessions:write")

    def has_compare_permission(self, request: HttpRequest) -> bool:
        """Whether two sessions may be put side by side."""
        return comparing.may(asking(request))

    def has_tag_permission(self, request: HttpRequest) -> bool:
        """Whether tags may be put on sessions and taken off."""
        return asking(request).allows(tags.SCOPE)

    def has_assign_permission(self, request: HttpRequest) -> bool:
        """Whether sessions may be given to somebody else."""
        return asking(request).allows(assigning.SCOPE)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whether all of a session may be taken away as a file."""
        return capsules.may(asking(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("sessions:control")
