"""The templates: read by whoever may, written through their services, used by a wizard."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin import template_acts, wizard
from sessions.admin.serviced import ServicedAdmin
from sessions.admin.template_form import TemplateForm
from sessions.core import recipes
from sessions.core.errors import SessionNotFound
from sessions.models import Preset
from sessions.selectors import agents, preset_parts
from sessions.selectors import presets as reading
from sessions.services import presets

VERSIONS_SHOWN = 20
AGENTS_SHOWN = 100
NAME = "aegis_sessions_preset_use"


@admin.register(Preset)
class PresetAdmin(ServicedAdmin):
    """Templates are made, changed, used and removed by services, which ask who it is."""

    list_display = ("name_cell", "category_cell", "version_cell", "uses_cell", "team_cell")
    list_filter = ("category", "is_system")
    search_fields = ("slug", "name", "description")
    search_help_text = "Slug, name or description"
    empty = Empty(
        "No template yet",
        "A template is a recipe for sessions: what they are of, who answers in them, and how they begin.",
        "./aegis template list",
    )
    ordering = ("category", "slug")
    noun, page = "template", "admin/aegis/template.html"
    read_scope, write_scope = "templates:read", presets.SCOPE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Preset]:
        principal = asking(request)
        allowed = principal.allows(self.read_scope)
        return reading.readable(principal) if allowed else Preset.objects.none()

    @admin.display(description="Template", ordering="name")
    def name_cell(self, row: Preset) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.name,
            row.slug,
        )

    @admin.display(description="For", ordering="category")
    def category_cell(self, row: Preset) -> SafeString:
        return format_html(
            '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
            row.category,
            row.description,
        )

    @admin.display(description="Version")
    def version_cell(self, row: Preset) -> SafeString:
        more = "" if row.version == row.head else f" of {row.head}"
        return format_html('<span class="ae-number">{}{}</span>', row.version, more)

    @admin.display(description="Used", ordering="use_count")
    def uses_cell(self, row: Preset) -> SafeString:
        if row.last_used_at is None:
            return marks.none("never")
        since = marks.since_html(row.last_used_at, now=timezone.now())
        return format_html('<span class="ae-number">{}×, {}</span>', row.use_count, since)

    @admin.display(description="Of", ordering="team__name")
    def team_cell(self, row: Preset) -> SafeString:
        if row.is_system:
            return marks.none("part of Aegis")
        return format_html("{}", row.team.name if row.team else "every team")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.use_view)
        own = [path("<int:pk>/use/", view, name=NAME), *template_acts.urls(self)]
        return [*own, *super().get_urls()]

    def use_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The wizard that makes a session from a template."""
        return wizard.show(self, request, self.find(request, pk))

    def make_form(self, request: HttpRequest, row: Preset | None) -> TemplateForm:
        session = request.GET.get("session", "") if row is None else ""
        try:
            return TemplateForm(
                request.POST or None, principal=asking(request), preset=row, session=session
            )
        except SessionNotFound:
            raise Http404 from None

    def remove(self, principal: Principal, row: Preset) -> str:
        presets.remove(principal=principal, template=row.slug)
        return f"{row} is removed. Its sessions stay."

    def may_write(self, request: HttpRequest, row: Preset | None) -> bool:
        teams = asking(request).teams
        is_reached = row is None or teams is None or row.team_id in teams
        is_fixed = row is not None and row.is_system
        return super().may_write(request, row) and is_reached and not is_fixed

    def more(self, request: HttpRequest, row: Preset | None) -> dict[str, Any]:
        if row is None:
            return {}
        principal = asking(request)
        found = list(reading.versions(row)[:VERSIONS_SHOWN])
        before = self._number(request, "before")
        numbers = {one.version for one in found}
        is_compared = before in numbers and before != row.version
        recipe = recipes.read(reading.version_of(row).recipe)
        missing = preset_parts.missing(principal, recipe)
        is_mendable = self.may_write(request, row) and any(one.kind == "agent" for one in missing)
        return {
            "recipe": recipe,
            "versions": found,
            "before": before if is_compared else None,
            "differences": reading.difference(row, before, None) if is_compared else [],
            "may_use": principal.allows("sessions:write"),
            "may_test": principal.allows("sessions:write") and principal.allows("sessions:control"),
            "missing": missing,
            "may_make": template_acts.may_make(principal),
            "agents": agents.visible(principal).order_by("slug")[:AGENTS_SHOWN]
            if is_mendable
            else [],
        }

    @staticmethod
    def _number(request: HttpRequest, name: str) -> int:
        value = request.GET.get(name, "")
        return int(value) if value.isdecimal() and len(value) < 10 else 0
