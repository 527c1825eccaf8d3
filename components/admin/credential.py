"""Credentials: listed, issued and rotated with the secret shown once, revoked."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.lists import Empty, PlainAdmin
from components.admin.asking import asking
from components.admin.credential_form import IssueForm, RotateForm
from components.core.errors import CredentialAlreadyExists
from components.models import Credential
from components.models.credential import EXPIRES_SOON
from components.services import credentials

LIST = "admin:aegis_components_credential_changelist"


class KindFilter(SimpleListFilter):
    """Programs' credentials first; session tokens are many and live short."""

    title = "kind"
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("programs", "Programs"), ("tokens", "Session tokens")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Credential]
    ) -> QuerySet[Credential]:
        if self.value() is None:
            return queryset
        return queryset.filter(session__isnull=self.value() == "programs")


class UseFilter(SimpleListFilter):
    """What still opens something, and what does not."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("usable", "Usable"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Credential]
    ) -> QuerySet[Credential]:
        now = timezone.now()
        match self.value():
            case "usable":
                return queryset.filter(pk__in=Credential.objects.usable(at=now).values("pk"))
            case "expired":
                return queryset.filter(expires_at__lte=now, revoked_at=None)
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


def state(row: Credential, *, now: datetime) -> str:
    """Whether it opens anything, in one word."""
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is None:
        return "usable"
    if row.expires_at <= now:
        return "expired"
    return (
        "expiring" if row.expires_at - now < EXPIRES_SOON and row.session_id is None else "usable"
    )


@admin.register(Credential)
class CredentialAdmin(PlainAdmin):
    """Credentials are issued and revoked by their services; a row is never edited."""

    list_display = (
        "name_cell",
        "state_cell",
        "scopes_cell",
        "team_cell",
        "session_cell",
        "expires_cell",
        "used_cell",
    )
    list_select_related = ("team", "session")
    list_filter = (KindFilter, UseFilter)
    search_fields = ("name", "prefix")
    search_help_text = "Name or prefix"
    empty = Empty(
        "No credential yet",
        "A credential lets a program in, with a set of scopes and an end. Its secret is shown once, when it is made.",
        "./aegis credential issue dashboard --scope sessions:read",
    )
    ordering = ("-created_at",)
    actions = None
    show_add_link = True
    fields = (
        "name",
        "prefix",
        "state_cell",
        "scopes_cell",
        "patterns_cell",
        "team_cell",
        "session_cell",
        "created_cell",
        "expires_cell",
        "revoked_cell",
        "used_cell",
    )
    readonly_fields = fields
    change_form_outer_after_template = "admin/aegis/credential_acts.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        rows = Credential.objects.all()
        seen = asking(request).teams
        return rows if seen is None else rows.filter(team_id__in=seen)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {"title": "Credentials", **(extra_context or {})}
        )
        return shown

    @admin.display(description="Credential", ordering="name")
    def name_cell(self, row: Credential) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key ae-mono">{}</span></span>',
            row.name or row.prefix,
            row.prefix,
        )

    @admin.display(description="State")
    def state_cell(self, row: Credential) -> SafeString:
        return marks.chip(state(row, now=timezone.now()), marks.CREDENTIAL)

    @admin.display(description="Scopes")
    def scopes_cell(self, row: Credential) -> str:
        return ", ".join(row.scopes)

    @admin.display(description="Topic patterns")
    def patterns_cell(self, row: Credential) -> str:
        return ", ".join(row.patterns)

    @admin.display(description="Team", ordering="team__name")
    def team_cell(self, row: Credential) -> SafeString:
        return format_html("{}", row.team.name if row.team else marks.none())

    @admin.display(description="Session", ordering="session__name")
    def session_cell(self, row: Credential) -> SafeString | str:
        if row.session is None:
            return marks.none()
        address = reverse("admin:aegis_sessions_session_change", args=[row.session_id])
        return format_html('<a class="ae-link" href="{}">{}</a>', address, row.session)

    @admin.display(description="Expires", ordering="expires_at")
    def expires_cell(self, row: Credential) -> SafeString:
        return (
            marks.clock(row.expires_at, now=timezone.now())
            if row.expires_at
            else marks.none("never")
        )

    @admin.display(description="Created")
    def created_cell(self, row: Credential) -> SafeString:
        made = marks.clock(row.created_at, now=timezone.now())
        return format_html('{} <span class="ae-muted">by {}</span>', made, row.created_by)

    @admin.display(description="Revoked")
    def revoked_cell(self, row: Credential) -> SafeString:
        return marks.clock(row.revoked_at, now=timezone.now())

    @admin.display(description="Last used", ordering="last_used_at")
    def used_cell(self, row: Credential) -> SafeString:
        if row.last_used_at is None:
            return marks.none("never")
        used = marks.clock(row.last_used_at, now=timezone.now())
        return format_html('{} <span class="ae-muted">{}</span>', used, row.last_used_transport)

    def get_urls(self) -> list[URLPattern]:
        acts = {"revoke": self.revoke_view, "rotate": self.rotate_view}
        own = [
            path(
                f"<uuid:credential_id>/{word}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"aegis_components_credential_{word}",
            )
            for word, view in acts.items()
        ]
        return [*own, *super().get_urls()]

    def rotate_view(self, request: HttpRequest, credential_id: Any) -> HttpResponse:
        """Put a fresh secret in the place of the old one, and show it once."""
        try:
            issued = RotateForm(request.POST).rotate(asking(request), credential_id)
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
            return HttpResponseRedirect(reverse(LIST))
        return self._issued(request, self._context(request), issued, is_rotated=True)

    def revoke_view(self, request: HttpRequest, credential_id: Any) -> HttpResponse:
        """Revoke through the service and go back to the list."""
        try:
            row = credentials.revoke(principal=asking(request), credential=credential_id)
            messages.info(request, f"{row} is revoked. Sockets that it opened are closed.")
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(LIST))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form, then the secret, once: it is in this answer and nowhere else."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        principal = asking(request)
        form = IssueForm(request.POST or None, principal=principal)
        context = self._context(request) | {"form": form}
        if request.method == "POST" and form.is_valid():
            try:
                issued = form.issue(principal)
            except AegisError as error:
                is_name = isinstance(error, CredentialAlreadyExists)
                form.add_error("name" if is_name else None, error.message)
            else:
                return self._issued(request, context, issued)
        return TemplateResponse(request, "admin/aegis/credential_new.html", context)

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        shell = self.admin_site.each_context(request)
        return {**shell, "opts": self.opts, "title": "New credential"}

    def _issued(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        issued: credentials.Issued,
        *,
        is_rotated: bool = False,
    ) -> HttpResponse:
        url = request.build_absolute_uri("/").rstrip("/")
        shown = context | {
            "secret": issued.secret,
            "credential": issued.credential,
            "line": f'curl -H "Authorization: Bearer {issued.secret}" {url}/api/v1/sessions',
            "is_rotated": is_rotated,
        }
        response = TemplateResponse(request, "admin/aegis/credential_made.html", shown)
        response["Cache-Control"] = "no-store"
        return response

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("credentials:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows("credentials:write")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
