"""The webhooks: who hears of what, what was sent, and what came back."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin.serviced import ServicedAdmin
from sessions.admin.webhook_form import WebhookForm
from sessions.models import Delivery, Webhook
from sessions.selectors import webhooks as reading
from sessions.services import webhooks
from sessions.services.webhooks import Made
from sessions.worker import webhook_trial

LAST = 20
WORDS = {"due": "on its way", "sent": "taken", "failed": "given up"}


@admin.register(Webhook)
class WebhookAdmin(ServicedAdmin):
    """Webhooks are made, changed, tried and removed by services, which ask who it is."""

    list_display = ("url_cell", "events_cell", "of_cell", "state_cell", "made_cell")
    list_filter = ("is_active",)
    search_fields = ("url", "session__key", "created_by")
    search_help_text = "Address, session or who made it"
    empty = Empty(
        "No webhook yet",
        "A webhook tells an address of events as they happen, signed and sent again when it does not answer.",
        "./aegis webhook create https://example.com/aegis --event 'approval.*'",
    )
    ordering = ("-created_at",)
    noun, page = "webhook", "admin/aegis/webhook.html"
    read_scope, write_scope = "webhooks:read", "webhooks:write"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        principal = asking(request)
        allowed = principal.allows(self.read_scope)
        return reading.readable(principal) if allowed else Webhook.objects.none()

    @admin.display(description="Address", ordering="url")
    def url_cell(self, row: Webhook) -> SafeString:
        return format_html('<span class="ae-mono ae-break">{}</span>', row.url)

    @admin.display(description="Hears of")
    def events_cell(self, row: Webhook) -> SafeString:
        return format_html('<span class="ae-mono">{}</span>', ", ".join(row.events))

    @admin.display(description="Of")
    def of_cell(self, row: Webhook) -> SafeString:
        if row.session is not None:
            return format_html("session {}", row.session.key)
        return format_html("team {}", row.team.name)

    @admin.display(description="Hears", ordering="is_active")
    def state_cell(self, row: Webhook) -> SafeString:
        return format_html("{}", "yes") if row.is_active else marks.none("no")

    @admin.display(description="Made", ordering="created_at")
    def made_cell(self, row: Webhook) -> SafeString:
        return marks.clock(row.created_at, now=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        views = {"test": self.test_view, "rotate": self.rotate_view}
        own = [
            path(
                f"<str:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"aegis_sessions_webhook_{name}",
            )
            for name, view in views.items()
        ]
        again = self.admin_site.admin_view(require_POST(self.redeliver_view))
        name = "aegis_sessions_webhook_redeliver"
        return [*own, path("<str:pk>/<uuid:delivery>/", again, name=name), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Send a test, and say what came back."""
        row = self._written(request, pk)
        try:
            status, error = webhook_trial.send(principal=asking(request), webhook=row.pk)
        except AegisError as failure:
            status, error = None, f"{failure.message} ({failure.code})"
        if error:
            messages.error(request, f"The test was not taken: {error}")
        else:
            messages.info(request, f"The test was taken: HTTP {status}.")
        return HttpResponseRedirect(self.address(row))

    def rotate_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Make another secret, and show it this once."""
        row = self._written(request, pk)
        made = webhooks.rotate(principal=asking(request), webhook=row.pk)
        return self._shown_once(request, made)

    def redeliver_view(self, request: HttpRequest, pk: str, delivery: Any) -> HttpResponse:
        """Send a delivery again."""
        row = self._written(request, pk)
        try:
            webhooks.redeliver(principal=asking(request), webhook=row.pk, delivery=delivery)
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        else:
            messages.info(request, "It is sent again, under its id.")
        return HttpResponseRedirect(self.address(row))

    def make_form(self, request: HttpRequest, row: Webhook | None) -> WebhookForm:
        return WebhookForm(request.POST or None, principal=asking(request), webhook=row)

    def saved(self, request: HttpRequest, row: Made, *, is_new: bool) -> HttpResponse:
        if is_new:
            return self._shown_once(request, row)
        return super().saved(request, row.webhook, is_new=False)

    def remove(self, principal: Principal, row: Webhook) -> str:
        webhooks.remove(principal=principal, webhook=row.pk)
        return f"{row} hears no more."

    def more(self, request: HttpRequest, row: Webhook | None) -> dict[str, Any]:
        """What was sent last, and what came back."""
        if row is None:
            return {}
        rows = reading.deliveries(row).select_related("session").order_by("-created_at", "-pk")
        now = timezone.now()
        return {"last": LAST, "deliveries": [_told(one, now=now) for one in rows[:LAST]]}

    def _written(self, request: HttpRequest, pk: str) -> Webhook:
        row: Webhook = self.find(request, pk)
        if not self.may_write(request, row):
            raise PermissionDenied
        return row

    def _shown_once(self, request: HttpRequest, made: Made) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "The secret of a webhook",
            "webhook": made.webhook,
            "secret": made.secret,
        }
        return TemplateResponse(request, "admin/aegis/webhook_made.html", context)


def _told(row: Delivery, *, now: Any) -> dict[str, Any]:
    """One delivery in the words of the page."""
    return {
        "row": row,
        "state": WORDS[row.state],
        "at": marks.clock(row.sent_at or row.created_at, now=now),
        "answer": row.error or (f"HTTP {row.status}" if row.status else ""),
        "again": marks.clock(row.next_at, now=now) if row.state == "due" and row.attempts else "",
    }
