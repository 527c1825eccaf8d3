"""The policies: read by whoever may, written through their services."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project import marks
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking, teams
from sessions.admin import policy_words
from sessions.admin.serviced import ServicedAdmin
from sessions.models import Policy
from sessions.selectors import policies as reading
from sessions.services import policy_catalogue

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
class PolicyAdmin(ServicedAdmin):
    """Policies are made, changed and removed by services, which ask who it is."""

    list_display = ("name_cell", "rules_cell", "team_cell", "changed_cell")
    search_fields = ("slug", "name", "description")
    search_help_text = "Slug, name or description"
    empty = Empty(
        "No policy yet",
        "A policy says which tool calls go by, which are told, and which wait for somebody.",
        "./aegis policy list",
    )
    ordering = ("slug",)
    noun, page = "policy", "admin/aegis/policy.html"
    read_scope, write_scope = "policies:read", "policies:write"

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

    def make_form(self, request: HttpRequest, row: Policy | None) -> PolicyForm:
        return PolicyForm(request.POST or None, principal=asking(request), policy=row)

    def remove(self, principal: Principal, row: Policy) -> str:
        policy_catalogue.remove(principal=principal, policy=row.slug)
        return f"{row} is removed."

    def more(self, request: HttpRequest, row: Policy | None) -> dict[str, Any]:
        """Its rules as people read them."""
        return {"told": policy_words.told(row.rules)} if row is not None else {}

    def may_write(self, request: HttpRequest, row: Policy | None) -> bool:
        teams = asking(request).teams
        is_reached = row is None or teams is None or row.team_id in teams
        is_fixed = row is not None and row.is_system
        return super().may_write(request, row) and is_reached and not is_fixed
