"""The providers of models: read by whoever reads agents, written by administrators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin.serviced import ServicedAdmin
from sessions.core.catalogue import ProviderDraft
from sessions.models import Provider
from sessions.selectors import providers as reached
from sessions.services import providers

KINDS = [
    ("openai", "OpenAI, or its interface"),
    ("azure", "Azure OpenAI"),
    ("anthropic", "Anthropic"),
]


class ProviderForm(forms.Form):
    """A new provider, or one that there is; its key goes in and never comes out."""

    slug = forms.CharField(
        max_length=50,
        widget=UnfoldAdminTextInputWidget,
        help_text="Agents name their model SLUG:MODEL.",
    )
    kind = forms.ChoiceField(label="Interface", choices=KINDS, widget=UnfoldAdminSelectWidget)
    base_url = forms.CharField(
        label="Address",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
        help_text="Such as http://127.0.0.1:11434/v1. Empty is the provider's own.",
    )
    api_version = forms.CharField(
        label="Version",
        required=False,
        max_length=32,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of Azure's interface only.",
    )
    secret = forms.CharField(
        label="Key",
        required=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, data: Any, *, provider: Provider | None) -> None:
        super().__init__(data, initial=_said(provider) if provider else None)
        self.provider = provider
        self.fields["secret"].help_text = "It is sealed, and nobody sees it again."
        if provider is not None and provider.secret:
            self.fields["secret"].help_text = "There is one. Leave it empty to keep it."
            self.fields["forget"] = forms.BooleanField(
                label="Forget the key", required=False, widget=UnfoldBooleanSwitchWidget
            )

    def save(self, principal: Any) -> Provider:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        values = dict(self.cleaned_data)
        forget = values.pop("forget", False)
        if self.provider is None:
            draft = ProviderDraft(**values)
            return providers.create(principal=principal, draft=draft).provider
        if not values["secret"] and not forget:
            del values["secret"]
        slug = self.provider.slug
        changed = providers.update(principal=principal, provider=slug, changes=values)
        return changed.provider

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        field = error.details.get("field")
        self.add_error(field if field in self.fields else None, error.message)


def _said(row: Provider) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("slug", "kind", "base_url", "api_version")}


@admin.register(Provider)
class ProviderAdmin(ServicedAdmin):
    """Providers are registered, changed and removed by their services."""

    list_display = ("name_cell", "address_cell", "key_cell", "changed_cell")
    ordering = ("slug",)
    empty = Empty(
        "No provider of your own yet",
        "A provider is where models are asked. Those whose key is in the environment need no entry; one here has an address and a key of its own.",
        "./aegis provider create local --base-url http://127.0.0.1:11434/v1",
    )
    noun, page, made = "provider", "admin/aegis/provider.html", "registered"
    read_scope, write_scope = "agents:read", providers.SCOPE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        principal = asking(request)
        allowed = principal.allows("agents:read")
        return reached.readable(principal) if allowed else Provider.objects.none()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {"title": "Providers", **(extra_context or {})}
        )
        return shown

    @admin.display(description="Provider", ordering="slug")
    def name_cell(self, row: Provider) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.slug,
            dict(KINDS)[row.kind],
        )

    @admin.display(description="Address")
    def address_cell(self, row: Provider) -> SafeString:
        if not row.base_url:
            return marks.none("the provider's own")
        return format_html('<span class="ae-mono">{}</span>', row.base_url)

    @admin.display(description="Key")
    def key_cell(self, row: Provider) -> SafeString:
        is_complete = reached.is_complete(row)
        if row.secret:
            return format_html("{}", "sealed" if is_complete else "not readable")
        return marks.none("of the environment" if is_complete else "none")

    def make_form(self, request: HttpRequest, row: Provider | None) -> ProviderForm:
        return ProviderForm(request.POST or None, provider=row)

    def remove(self, principal: Principal, row: Provider) -> str:
        providers.remove(principal=principal, provider=row.slug)
        return f"{row} is removed, and its key is forgotten."

    def may_open(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def address(self, row: Provider) -> str:
        return reverse("admin:aegis_sessions_provider_changelist")
