"""The list and the page of components."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from aegis_project import marks
from aegis_project.lists import Empty, PlainAdmin, PlainChangeList
from components import selectors
from components.admin import cells, flow, snippets, strip
from components.admin.asking import asking
from components.core.asks import Level
from components.core.lifecycle import CONNECTED
from components.models import Component

GONE = ("stopped", "failed")
MOST_COUNTED = 100


class PresenceFilter(SimpleListFilter):
    """Present ones first; who is gone is one click away."""

    title = "presence"
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("connected", "Connected"), ("gone", "Gone"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Present is what no choice means."""
        for choice in super().choices(changelist):
            yield (
                choice | {"display": "Present"}
                if choice["display"] == "All" and choice["query_string"].find("view=") < 0
                else choice
            )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Component]) -> QuerySet[Component]:
        match self.value():
            case "connected":
                return queryset.filter(state__in=CONNECTED)
            case "gone":
                return queryset.filter(state__in=GONE)
            case "all":
                return queryset
        return queryset.exclude(state__in=GONE)


class ComponentChangeList(PlainChangeList):
    """Rows with their cells."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then make its cells at one moment."""
        super().get_results(request)
        now = timezone.now()
        flows = flow.of_sessions(row.session_id for row in self.result_list)
        for row in self.result_list:
            row.cells = cells.row(row, flows, now=now)


def _column(name: str, description: str, ordering: str | None = None) -> Any:
    @admin.display(description=description, ordering=ordering)
    def show(_: Any, row: Any) -> SafeString:
        return row.cells[name]  # type: ignore[no-any-return]

    show.__name__ = name
    return show


@admin.register(Component)
class ComponentAdmin(PlainAdmin):
    """Components come by connecting or by being attached; the admin only looks."""

    name_cell = _column("name_cell", "Component", "name")
    state_cell = _column("state_cell", "State", "state")
    role_cell = _column("role_cell", "Role", "role")
    handshake_cell = _column("handshake_cell", "Handshake")
    heard_cell = _column("heard_cell", "Last beat", "last_heartbeat_at")
    topics_cell = _column("topics_cell", "Topics")
    since_cell = _column("since_cell", "Connected", "registered_at")
    rate_cell = _column("rate_cell", "Rec/s")
    behind_cell = _column("behind_cell", "Lag")

    list_display = (
        "name_cell",
        "session_cell",
        "state_cell",
        "role_cell",
        "handshake_cell",
        "heard_cell",
        "since_cell",
        "rate_cell",
        "behind_cell",
        "topics_cell",
    )
    list_select_related = ("session", "lease")
    list_filter = (PresenceFilter, "state", "role", "required")
    search_fields = ("name", "session__name", "session__key")
    search_help_text = "Component or session"
    empty = Empty(
        "No component is present",
        "A component is a program that connects with the token of a session: a feed, a strategy, a tool or an observer. It appears here by itself, from its first frame on.",
        "./aegis component list",
    )
    ordering = ("-created_at",)
    actions = None
    change_list_template = "admin/aegis/components.html"
    change_form_template = "admin/aegis/component.html"
    change_form_outer_after_template = "admin/aegis/component_acts.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "session_link",
                    "chip",
                    "role_text",
                    "version",
                    "transport",
                    "error",
                )
            },
        ),
        ("Handshake", {"fields": ("steps",)}),
        ("Heartbeat", {"fields": ("heartbeat",)}),
        ("Program", {"fields": ("program_text", "launch_text")}),
        (
            "Registration",
            {"fields": ("topic_list", "fence", "token_text", "capabilities", "proto")},
        ),
    )
    readonly_fields = (
        "session_link",
        "chip",
        "role_text",
        "steps",
        "heartbeat",
        "topic_list",
        "token_text",
        "transport",
        "program_text",
        "launch_text",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Component]:
        rows: QuerySet[Component] = selectors.visible(asking(request))
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ComponentChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {"title": "Components", **(extra_context or {})}
        if PresenceFilter.parameter_name not in request.GET and self.has_view_permission(request):
            gone = self.get_queryset(request).filter(state__in=GONE).values_list("pk")
            count = len(gone[:MOST_COUNTED])
            told["gone"] = f"{MOST_COUNTED - 1}+" if count == MOST_COUNTED else count
        shown: HttpResponse = super().changelist_view(request, told)
        return shown

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        """Its page, with what may be done with it."""
        row: Component = kwargs["obj"]
        context["may_steer"] = row.session.is_open and asking(request).allows("sessions:control")
        context["is_here"] = selectors.is_here(row)
        context["is_connected"] = row.session.is_open and row.state in CONNECTED
        context["levels"] = list(Level)
        context["awaited"] = cells.awaited(row, now=timezone.now())
        if row.registered_at is None and row.session.is_open:
            context["snippets"] = snippets.of(row)
            context["connect_lines"] = snippets.environment(request, "$TOKEN")
        shown: HttpResponse = super().render_change_form(request, context, **kwargs)
        return shown

    @admin.display(description="Session", ordering="session__name")
    def session_cell(self, row: Component) -> SafeString:
        return self.session_link(row)

    @admin.display(description="Session")
    def session_link(self, row: Component) -> SafeString:
        return format_html(
            '<a class="ae-link ae-clip" href="{0}" title="{1}">{1}</a>', _address(row), row.session
        )

    @admin.display(description="Role")
    def role_text(self, row: Component) -> SafeString:
        return cells.role(row, now=timezone.now())

    @admin.display(description="State")
    def chip(self, row: Component) -> SafeString:
        return _part("standing", row)

    @admin.display(description="Program")
    def program_text(self, row: Component) -> SafeString:
        return cells.program(row)

    @admin.display(description="Process")
    def launch_text(self, row: Component) -> SafeString:
        return cells.launch(row, now=timezone.now())

    @admin.display(description="Transport")
    def transport(self, row: Component) -> str:
        return cells.transport(row)

    @admin.display(description="Token")
    def token_text(self, row: Component) -> SafeString:
        """By its first digits: the rest is kept nowhere."""
        if row.token is None:
            return marks.none()
        return format_html('<span class="ae-mono">{}</span> {}', row.token.prefix, row.token.name)

    @admin.display(description="Topics")
    def topic_list(self, row: Component) -> str:
        return ", ".join(row.topics) or "none"

    @admin.display(description="Steps")
    def steps(self, row: Component) -> SafeString:
        return _part("steps", row)

    @admin.display(description="Last marks")
    def heartbeat(self, row: Component) -> SafeString:
        """The strip, and the same in figures."""
        return format_html(
            '{}<details class="ae-twin"><summary>As a table</summary>'
            '<div class="ae-twin-table" tabindex="0" role="group" aria-label="Last marks"'
            ' id="ae-beats-table">{}</div></details>',
            _part("beats", row),
            strip.table(row, now=timezone.now()),
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("components:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _address(row: Component) -> str:
    return reverse("admin:aegis_sessions_session_change", args=[row.session_id])


def _part(name: str, row: Component) -> SafeString:
    """One that the live socket paints anew."""
    return format_html('<div id="ae-{}">{}</div>', name, cells.parts(row, now=timezone.now())[name])
