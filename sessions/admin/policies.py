"""The policies: read by whoever may, written through their services."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project import marks
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking, teams
from sessions.models import Policy
from sessions.selectors import policies as reading
from sessions.services import policy_catalogue

LIST = "admin:aegis_sessions_policy_changelist"
PAGE = "admin/aegis/policy.html"
MAX_BYTES = 256 * 1024
FIRST = [{"name": "everything", "verdict": "approve", "seconds": 300}]
EVERYBODY = ("", "Every team")


class PolicyForm(forms.Form):
    """A new policy, or one that there is."""

    slug = forms.SlugField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="What sessions and agents call it.",
    )
    name = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(
        required=False, max_length=10_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    team = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    rules = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18, "spellcheck": "false"}),
        help_text="A JSON list; the first rule that matches counts. Verdicts: auto, notify, "
        "approve, deny.",
    )

    def __init__(self, *args: Any, principal: Principal, policy: Policy | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.policy = policy
        field = self.fields["team"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- declared above
        own = [(one.name, one.name) for one in teams(principal)]
        field.choices = [EVERYBODY, *own] if principal.teams is None else own
        self.fields["rules"].initial = json.dumps(FIRST, indent=2)
        if policy is not None:
            del self.fields["slug"], self.fields["team"]
            self.initial = {
                "name": policy.name,
                "description": policy.description,
                "rules": json.dumps(policy.rules, indent=2, ensure_ascii=False),
            }

    def clean_rules(self) -> Any:
        try:
            return strict.decode(self.cleaned_data["rules"], max_bytes=MAX_BYTES)
        except AegisError as error:
            raise forms.ValidationError(error.message) from None

    def save(self, principal: Principal) -> Policy:
        """
        Make or change it.

        :raises AegisError: as the services do
        """
        said = dict(self.cleaned_data)
        if self.policy is not None:
            return policy_catalogue.change(
                principal=principal, policy=self.policy.slug, changes=said
            ).policy
        named = {one.name: one for one in teams(principal)}
        team = named.get(said.pop("team"))
        return policy_catalogue.define(principal=principal, team=team, **said).policy

    def tell(self, error: AegisError) -> None:
        """Say at the rules, or at the form, why it was refused."""
        places = [str(one) for one in error.details.get("fields", [])]
        is_rule = any(one.startswith("rules") for one in places)
        self.add_error("rules" if is_rule else None, f"{error.message} ({error.code})")


@admin.register(Policy)
class PolicyAdmin(PlainAdmin):
    """Policies are made, changed and removed by services, which ask who it is."""

    list_display = ("name_cell", "rules_cell", "team_cell", "changed_cell")
    search_fields = ("slug", "name", "description")
    search_help_text = "Slug, name or description"
    ordering = ("slug",)
    actions = None
    show_add_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        principal = asking(request)
        allowed = principal.allows("policies:read")
        return reading.readable(principal) if allowed else Policy.objects.none()

    @admin.display(description="Policy", ordering="slug")
    def name_cell(self, row: Policy) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.name,
            row.slug,
        )

    @admin.display(description="Rules")
    def rules_cell(self, row: Policy) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-number">{}</span>'
            '<span class="ae-key">{}</span></span>',
            len(row.rules),
            row.description,
        )

    @admin.display(description="Of", ordering="team__name")
    def team_cell(self, row: Policy) -> SafeString:
        if row.is_system:
            return marks.none("part of Aegis")
        return format_html("{}", row.team.name if row.team else "every team")

    @admin.display(description="Changed", ordering="updated_at")
    def changed_cell(self, row: Policy) -> SafeString:
        return marks.clock(row.updated_at, now=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        remove = self.admin_site.admin_view(require_POST(self.remove_view))
        own = path("<int:policy_id>/remove/", remove, name="aegis_sessions_policy_remove")
        return [own, *super().get_urls()]

    def remove_view(self, request: HttpRequest, policy_id: int) -> HttpResponse:
        """Remove through the service and go back to the list."""
        row = self._find(request, policy_id)
        try:
            policy_catalogue.remove(principal=asking(request), policy=row.slug)
            messages.info(request, f"{row} is removed.")
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(LIST))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form of a new policy."""
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
        """The same form for who may write it; everybody else reads it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not object_id.isdecimal():
            raise Http404
        return self._form(request, self._find(request, int(object_id)))

    def _find(self, request: HttpRequest, policy_id: int) -> Policy:
        found = self.get_queryset(request).filter(pk=policy_id).first()
        if found is None:
            raise Http404
        return found

    def _form(self, request: HttpRequest, row: Policy | None) -> HttpResponse:
        principal = asking(request)
        may_write = self._may_write(principal, row)
        if request.method == "POST" and not may_write:
            raise PermissionDenied
        form = PolicyForm(request.POST or None, principal=principal, policy=row)
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(principal)
            except AegisError as error:
                form.tell(error)
            else:
                messages.info(request, f"{saved} is {'changed' if row else 'made'}.")
                page = reverse("admin:aegis_sessions_policy_change", args=[saved.pk])
                return HttpResponseRedirect(page)
        for field in form.fields.values():
            field.disabled = not may_write
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.name if row else "New policy",
            "form": form,
            "policy": row,
            "may_write": may_write,
        }
        return TemplateResponse(request, PAGE, context)

    def _may_write(self, principal: Principal, row: Policy | None) -> bool:
        if row is None:
            return principal.allows("policies:write")
        is_reached = principal.teams is None or row.team_id in principal.teams
        return principal.allows("policies:write") and is_reached and not row.is_system

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("policies:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows("policies:write")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
