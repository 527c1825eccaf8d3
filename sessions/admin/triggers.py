"""The triggers: what wakes which agent, when it did last, and what a record would do."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin.serviced import ServicedAdmin
from sessions.admin.trigger_form import TriggerForm
from sessions.models import Trigger
from sessions.selectors import triggers as reading
from sessions.services import triggers

LONGEST = 4000


@admin.register(Trigger)
class TriggerAdmin(ServicedAdmin):
    """Triggers are made, changed and removed by services, which ask who it is."""

    list_display = ("cause_cell", "agent_cell", "of_cell", "state_cell", "last_cell", "next_cell")
    list_filter = ("is_active",)
    search_fields = ("agent__slug", "pattern", "schedule", "session__key")
    search_help_text = "Agent, topic, schedule or session"
    empty = Empty(
        "No trigger yet",
        "A trigger wakes an agent when a record comes to a topic, or by the clock.",
        "./aegis trigger create analyst --pattern 'prices.*'",
    )
    ordering = ("-created_at",)
    noun, page = "trigger", "admin/aegis/trigger.html"
    read_scope, write_scope = "agents:read", "agents:write"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trigger]:
        principal = asking(request)
        allowed = principal.allows(self.read_scope)
        return reading.readable(principal) if allowed else Trigger.objects.none()

    @admin.display(description="Wakes on", ordering="pattern")
    def cause_cell(self, row: Trigger) -> SafeString:
        return format_html('<span class="ae-mono ae-break">{}</span>', row.pattern or row.schedule)

    @admin.display(description="Agent", ordering="agent__slug")
    def agent_cell(self, row: Trigger) -> SafeString:
        return format_html("{}", row.agent.slug)

    @admin.display(description="In")
    def of_cell(self, row: Trigger) -> SafeString:
        if row.session is not None:
            return format_html("session {}", row.session.key)
        return format_html("{}", "its running sessions")

    @admin.display(description="On", ordering="is_active")
    def state_cell(self, row: Trigger) -> SafeString:
        return format_html("{}", "on") if row.is_active else marks.none("off")

    @admin.display(description="Last woke", ordering="last_at")
    def last_cell(self, row: Trigger) -> SafeString:
        if row.last_at is None:
            return marks.none("never")
        return marks.clock(row.last_at, now=timezone.now())

    @admin.display(description="Next", ordering="next_at")
    def next_cell(self, row: Trigger) -> SafeString:
        is_due = row.is_active and row.next_at is not None
        return marks.clock(row.next_at, now=timezone.now()) if is_due else marks.none()

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        own = path("<str:pk>/test/", test, name="aegis_sessions_trigger_test")
        return [own, *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Say what a record would do; nothing is begun."""
        row = self.find(request, pk)
        try:
            for sentence in _tried(row, request):
                messages.info(request, sentence)
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(self.address(row))

    def make_form(self, request: HttpRequest, row: Trigger | None) -> TriggerForm:
        return TriggerForm(request.POST or None, principal=asking(request), trigger=row)

    def saved(self, request: HttpRequest, row: Any, *, is_new: bool) -> HttpResponse:
        messages.info(
            request, f"The trigger of {row.agent.slug} is {'made' if is_new else 'changed'}."
        )
        return HttpResponseRedirect(self.address(row))

    def remove(self, principal: Principal, row: Trigger) -> str:
        triggers.remove(principal=principal, trigger=row.pk)
        return f"{row.agent.slug} is no more woken by {row.pattern or row.schedule}."

    def more(self, request: HttpRequest, row: Trigger | None) -> dict[str, Any]:
        """What it did last, and when it is due."""
        if row is None:
            return {"title": "New trigger"}
        now = timezone.now()
        return {
            "title": f"Trigger of {row.agent.slug}",
            "last": marks.clock(row.last_at, now=now) if row.last_at else "",
            "next": marks.clock(row.next_at, now=now) if row.is_active and row.next_at else "",
        }


def _tried(row: Trigger, request: HttpRequest) -> list[str]:
    said = request.POST.get("data", "")[:LONGEST].strip()
    data = strict.decode(said, max_bytes=4 * LONGEST) if said else None
    topic = request.POST.get("topic", "").strip()[:200]
    found = reading.trial(row, topic=topic, data=data, now=timezone.now())
    if not found.wakes:
        return [f"It would wake nobody: {found.why}"]
    where = ", ".join(found.sessions) or "no session that runs now"
    told = [f"It would wake {row.agent.slug} in {where}.", f"It would be told: {found.prompt}"]
    if found.next:
        told.append(f"Next at {', '.join(f'{at:%Y-%m-%d %H:%M} UTC' for at in found.next)}.")
    return told
