"""The providers of models: read by whoever reads agents, written by administrators."""

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
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking
from sessions.core.catalogue import ProviderDraft
from sessions.models import Provider
from sessions.selectors import providers as reached
from sessions.services import providers

LIST = "admin:aegis_sessions_provider_changelist"
PAGE = "admin/aegis/provider.html"
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
class ProviderAdmin(PlainAdmin):
    """Providers are registered, changed and removed by their services."""

    list_display = ("name_cell", "address_cell", "key_cell", "changed_cell")
    ordering = ("slug",)
    actions = None
    show_add_link = True

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

    @admin.display(description="Changed", ordering="updated_at")
    def changed_cell(self, row: Provider) -> SafeString:
        return marks.clock(row.updated_at, now=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        remove = self.admin_site.admin_view(require_POST(self.remove_view))
        name = "aegis_sessions_provider_remove"
        return [path("<int:provider_id>/remove/", remove, name=name), *super().get_urls()]

    def remove_view(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """Remove through the service and go back to the list."""
        row = self._find(request, provider_id)
        try:
            providers.remove(principal=asking(request), provider=row.slug)
            messages.info(request, f"{row} is removed, and its key is forgotten.")
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(LIST))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form of a new provider."""
        return self._form(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """The same form, for administrators."""
        if not object_id.isdecimal():
            raise Http404
        return self._form(request, self._find(request, int(object_id)))

    def _find(self, request: HttpRequest, provider_id: int) -> Provider:
        found = self.get_queryset(request).filter(pk=provider_id).first()
        if found is None:
            raise Http404
        return found

    def _form(self, request: HttpRequest, row: Provider | None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ProviderForm(request.POST or None, provider=row)
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(asking(request))
            except AegisError as error:
                form.tell(error)
            else:
                messages.info(request, f"{saved} is {'changed' if row else 'registered'}.")
                return HttpResponseRedirect(reverse(LIST))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.slug if row else "New provider",
            "form": form,
            "provider": row,
        }
        return TemplateResponse(request, PAGE, context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("agents:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows(providers.SCOPE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
