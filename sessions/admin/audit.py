"""The audit, which nobody edits: its list, its entries, its files, and the proof of its chain."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from aegis_project.kit.errors import AegisError
from aegis_project.lists import Empty, PlainAdmin
from components.admin.asking import asking
from sessions.admin import audit_cells as cells
from sessions.admin import saved_views
from sessions.admin.events import pretty
from streaming.api import audit as files
from streaming.core import audit_export
from streaming.models import AuditEntry
from streaming.selectors import audit, audit_proof

NAMED = "aegis_streaming_auditentry"


def _column(name: str, description: str, ordering: str | None = None) -> Any:
    @admin.display(description=description, ordering=ordering)
    def show(_: Any, row: AuditEntry) -> SafeString:
        return cells.CELLS[name](row, now=timezone.now())

    show.__name__ = name
    return show


@admin.register(AuditEntry)
class AuditAdmin(PlainAdmin):
    """Read-only for everybody; one sees what one's scope and teams let one see."""

    at_cell = _column("at_cell", "At", "at")
    command_cell = _column("command_cell", "Command", "command")
    outcome_cell = _column("outcome_cell", "Outcome")
    actor_cell = _column("actor_cell", "By")
    target_cell = _column("target_cell", "To")

    list_display = tuple(cells.CELLS)
    list_filter = ("outcome", ("at", admin.DateFieldListFilter))
    search_fields = ("command", "actor", "target", "code", "request_id", "session__key")
    search_help_text = "Command, actor, target, code, request or session"
    empty = Empty(
        "No entry yet",
        "Each command that was carried out or refused is written here, with who asked for it.",
        "./aegis audit list",
    )
    ordering = ("-at", "-id")
    actions = None
    change_list_template = "admin/aegis/audit.html"
    show_add_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        principal = asking(request)
        allowed = principal.allows(audit.SCOPE)
        return audit.readable(principal) if allowed else AuditEntry.objects.none()

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("views/", wrap(self.saved_view), name=f"{NAMED}_views"),
            path("verify/", wrap(require_POST(self.verify_view)), name=f"{NAMED}_verify"),
            path("export/<str:form>/", wrap(require_GET(self.export_view)), name=f"{NAMED}_export"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with the views that were kept of it."""
        saved = saved_views.context(request, "audit", address=f"{NAMED}_views")
        shown: HttpResponse = super().changelist_view(request, {**saved, **(extra_context or {})})
        return shown

    def saved_view(self, request: HttpRequest) -> HttpResponse:
        """A view of the list is kept, renamed or removed."""
        return saved_views.answer(self, request, "audit", page=f"{NAMED}_changelist")

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Walk along the whole chain, and say what came of it above the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = audit_proof.verify(asking(request))
        tell = messages.info if found.fault is None else messages.error
        rest = f"; {found.unsealed} are not sealed yet" if found.unsealed else ""
        tell(request, f"{found.sentence}{rest}. The last digest: {found.place}:{found.digest}")
        return HttpResponseRedirect(reverse(f"admin:{NAMED}_changelist"))

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """The entries of the list as it is narrowed, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if form not in audit_export.FORMATS:
            raise Http404
        rows = self.get_changelist_instance(request).get_queryset(request)
        return files.download(rows, audit_export.FORMATS[form]())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """One entry with all that it holds, in the place of a form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            row = audit.find(asking(request), object_id)
        except AegisError:
            raise Http404 from None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{row.command} by {row.actor}",
            "row": row,
            "outcome": cells.outcome(row, now=timezone.now()),
            "detail": pretty(row.detail),
        }
        return TemplateResponse(request, "admin/aegis/audit_entry.html", context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows(audit.SCOPE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
