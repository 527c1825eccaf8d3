"""The programs that launchers may run: read by whoever may, written by administrators."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.lists import Empty, PlainAdmin
from components import selectors
from components.admin.asking import asking
from components.admin.program_form import ProgramForm
from components.core.launching import ALIVE
from components.models import Program
from components.services import programs

LIST = "admin:aegis_components_program_changelist"
# As much of a command as a column has room for, in characters.
SHOWN = 32
STATES = [state.value for state in ALIVE]


@admin.register(Program)
class ProgramAdmin(PlainAdmin):
    """Programs are defined, changed and removed by their services, which ask who it is."""

    list_display = (
        "name_cell",
        "command_cell",
        "restart_cell",
        "team_cell",
        "running_cell",
        "changed_cell",
    )
    list_select_related = ("team",)
    list_filter = ("restart",)
    search_fields = ("name",)
    search_help_text = "Name"
    empty = Empty(
        "No program yet",
        "A program is a component that Aegis starts, watches and starts again. Nobody has registered one.",
    )
    ordering = ("name",)
    actions = None
    show_add_link = True
    fields = (
        "name",
        "command_cell",
        "variables_cell",
        "directory",
        "restart_cell",
        "stop_grace_seconds",
        "team_cell",
        "running_cell",
        "changed_cell",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Program]:
        running = Count("launches", filter=Q(launches__state__in=STATES))
        rows = Program.objects.of_teams(asking(request).teams)
        return rows.annotate(running=running)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {"title": "Programs", **(extra_context or {})}
        )
        return shown

    @admin.display(description="Program", ordering="name")
    def name_cell(self, row: Program) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.name,
            str(row.pk)[:8],
        )

    @admin.display(description="Command")
    def command_cell(self, row: Program) -> SafeString:
        text = " ".join(row.argv)
        shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
        return format_html('<span class="ae-mono" title="{}">{}</span>', text, shown)

    @admin.display(description="Environment")
    def variables_cell(self, row: Program) -> SafeString:
        # What is in them is for those who may write them, and they see the form.
        if not row.environment:
            return marks.none()
        return format_html_join(", ", "{}", ((name,) for name in row.environment))

    @admin.display(description="Restart", ordering="restart")
    def restart_cell(self, row: Program) -> SafeString:
        times = f"at most {row.restart_limit} in a row" if row.restart != "never" else ""
        return format_html(
            '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
            row.restart,
            times,
        )

    @admin.display(description="Team", ordering="team__name")
    def team_cell(self, row: Program) -> SafeString:
        return format_html("{}", row.team.name) if row.team else marks.none("every team")

    @admin.display(description="Processes")
    def running_cell(self, row: Any) -> SafeString:
        return format_html("{} running", row.running) if row.running else marks.none("none")

    @admin.display(description="Changed", ordering="updated_at")
    def changed_cell(self, row: Program) -> SafeString:
        return marks.clock(row.updated_at, now=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        remove = self.admin_site.admin_view(require_POST(self.remove_view))
        name = "aegis_components_program_remove"
        return [path("<uuid:program_id>/remove/", remove, name=name), *super().get_urls()]

    def remove_view(self, request: HttpRequest, program_id: UUID) -> HttpResponse:
        """Remove through the service and go back to the list."""
        try:
            removed = programs.remove(principal=asking(request), program=program_id)
            messages.info(request, f"{removed.program} is removed. What ran of it is stopped.")
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(LIST))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form of a new program."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._form(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """The same form for who may write it, the bare facts for everybody else."""
        if not self.has_add_permission(request):
            shown: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return shown
        try:
            row = selectors.programs(asking(request)).named(object_id)
        except AegisError:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[no-any-return]
                request, self.opts, object_id
            )
        return self._form(request, row)

    def _form(self, request: HttpRequest, row: Program | None) -> HttpResponse:
        principal = asking(request)
        form = ProgramForm(request.POST or None, principal=principal, program=row)
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(principal)
            except AegisError as error:
                form.tell(error)
            else:
                messages.info(request, f"{saved} is {'changed' if row else 'defined'}.")
                return HttpResponseRedirect(reverse(LIST))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.name if row else "New program",
            "form": form,
            "program": row,
        }
        return TemplateResponse(request, "admin/aegis/program.html", context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("programs:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows(programs.SCOPE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
