"""The catalogue of agents: read by whoever may, written through its services."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking
from sessions.admin import trial
from sessions.admin.agent_form import SEEN, AgentForm
from sessions.models import Agent
from sessions.selectors import agents as catalogue
from sessions.services import agents

LIST = "admin:aegis_sessions_agent_changelist"
PAGE = "admin/aegis/agent.html"
# As many of an agent's tools as a column has room for.
SHOWN = 3
TRY_SCOPE = "runs:write"


class UseFilter(admin.BooleanFieldListFilter):
    """Whether an agent is in use, under that name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "use"


@admin.register(Agent)
class AgentAdmin(PlainAdmin):
    """Agents are made, changed, tried and removed by services, which ask who it is."""

    list_display = (
        "name_cell",
        "model_cell",
        "seen_cell",
        "tools_cell",
        "use_cell",
        "changed_cell",
    )
    list_filter = ("visibility", ("is_active", UseFilter))
    search_fields = ("slug", "name", "model")
    search_help_text = "Slug, name or model"
    ordering = ("name", "slug")
    actions = None
    show_add_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        principal = asking(request)
        allowed = principal.allows("agents:read")
        return catalogue.readable(principal) if allowed else Agent.objects.none()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {"title": "Agents", **(extra_context or {})}
        )
        return shown

    @admin.display(description="Agent", ordering="name")
    def name_cell(self, row: Agent) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.name,
            row.slug,
        )

    @admin.display(description="Model", ordering="model")
    def model_cell(self, row: Agent) -> SafeString:
        return format_html('<span class="ae-mono">{}</span>', row.model)

    @admin.display(description="Seen by", ordering="visibility")
    def seen_cell(self, row: Agent) -> SafeString:
        return format_html(
            '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
            dict(SEEN)[row.visibility],
            row.team.name if row.team else "every team",
        )

    @admin.display(description="Tools and policy")
    def tools_cell(self, row: Agent) -> SafeString:
        if not row.tools:
            return marks.none("no tools")
        more = len(row.tools) - SHOWN
        return format_html(
            '<span class="ae-two"><span class="ae-mono">{}{}</span>'
            '<span class="ae-key">{}</span></span>',
            ", ".join(row.tools[:SHOWN]),
            f" and {more} more" if more > 0 else "",
            row.policy.name if row.policy else "policy of the environment",
        )

    @admin.display(description="In use", ordering="is_active")
    def use_cell(self, row: Agent) -> SafeString:
        return format_html("{}", "yes") if row.is_active else marks.none("no")

    @admin.display(description="Changed", ordering="updated_at")
    def changed_cell(self, row: Agent) -> SafeString:
        return marks.clock(row.updated_at, now=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        views = {"remove": self.remove_view, "trial": self.trial_view}
        own = [
            path(
                f"<int:agent_id>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"aegis_sessions_agent_{name}",
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def remove_view(self, request: HttpRequest, agent_id: int) -> HttpResponse:
        """Remove through the service and go back to the list."""
        row = self._find(request, agent_id)
        try:
            agents.remove(principal=asking(request), agent=row.slug)
            messages.info(request, f"{row} is removed. What its runs said stays.")
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(LIST))

    def trial_view(self, request: HttpRequest, agent_id: int) -> HttpResponseBase:
        """What its model answers to one question, as it comes."""
        row = self._find(request, agent_id)
        if not self._may_try(request):
            raise PermissionDenied
        return trial.answer(request, row)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form of a new agent."""
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
        row = self._find(request, int(object_id)) if object_id.isdecimal() else None
        if row is None:
            raise Http404
        return self._form(request, row)

    def _find(self, request: HttpRequest, agent_id: int) -> Agent:
        found = self.get_queryset(request).filter(pk=agent_id).first()
        if found is None:
            raise Http404
        return found

    def _form(self, request: HttpRequest, row: Agent | None) -> HttpResponse:
        principal = asking(request)
        may_write = self._may_write(request, row)
        form = AgentForm(request.POST or None, principal=principal, agent=row)
        if request.method == "POST" and not may_write:
            raise PermissionDenied
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(principal)
            except AegisError as error:
                form.tell(error)
            else:
                messages.info(request, f"{saved} is {'changed' if row else 'made'}.")
                page = reverse("admin:aegis_sessions_agent_change", args=[saved.pk])
                return HttpResponseRedirect(page)
        for field in form.fields.values():
            field.disabled = field.disabled or not may_write
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.name if row else "New agent",
            "form": form,
            "agent": row,
            "may_write": may_write,
            "may_remove": may_write and row is not None and row.slug != catalogue.ASSISTANT,
            "may_try": row is not None and self._may_try(request),
            "question": trial.QUESTION,
        }
        return TemplateResponse(request, PAGE, context)

    def _may_write(self, request: HttpRequest, row: Agent | None) -> bool:
        principal = asking(request)
        is_own = row is None or principal.teams is None or row.team_id in principal.teams
        return principal.allows(agents.SCOPE) and is_own

    def _may_try(self, request: HttpRequest) -> bool:
        return asking(request).allows(TRY_SCOPE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("agents:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return asking(request).allows(agents.SCOPE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
