"""The catalogue of agents: read by whoever may, written through its services."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin import trial
from sessions.admin.agent_form import SEEN, AgentForm
from sessions.admin.serviced import ServicedAdmin
from sessions.models import Agent
from sessions.selectors import agents as catalogue
from sessions.services import agents, trials

# As many of an agent's tools as a column has room for.
SHOWN = 3


class UseFilter(admin.BooleanFieldListFilter):
    """Whether an agent is in use, under that name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "use"


@admin.register(Agent)
class AgentAdmin(ServicedAdmin):
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
    empty = Empty(
        "No agent yet",
        "An agent is a model with instructions, tools and limits, which sessions and triggers name.",
        "./aegis agent create analyst --model openai:gpt-5 --instructions 'Be brief.'",
    )
    ordering = ("name", "slug")
    noun, page = "agent", "admin/aegis/agent.html"
    read_scope, write_scope = "agents:read", agents.SCOPE

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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.trial_view))
        name = "aegis_sessions_agent_trial"
        return [path("<int:pk>/trial/", view, name=name), *super().get_urls()]

    def trial_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What its model answers to one question, as it comes."""
        row, principal = self.find(request, pk), asking(request)
        try:
            trials.admit(principal=principal, agent=row.slug)
        except AegisError as error:
            return trial.refused(error)
        return trial.answer(request, row, principal)

    def make_form(self, request: HttpRequest, row: Agent | None) -> AgentForm:
        slug = request.GET.get("slug", "")
        return AgentForm(request.POST or None, principal=asking(request), agent=row, slug=slug)

    def remove(self, principal: Principal, row: Agent) -> str:
        agents.remove(principal=principal, agent=row.slug)
        return f"{row} is removed. What its runs said stays."

    def may_write(self, request: HttpRequest, row: Agent | None) -> bool:
        teams = asking(request).teams
        is_own = row is None or teams is None or row.team_id in teams
        return super().may_write(request, row) and is_own

    def more(self, request: HttpRequest, row: Agent | None) -> dict[str, Any]:
        is_kept = row is None or row.slug == catalogue.ASSISTANT
        return {
            "may_remove": self.may_write(request, row) and not is_kept,
            "may_try": row is not None and self._may_try(request),
            "question": trial.QUESTION,
        }

    def _may_try(self, request: HttpRequest) -> bool:
        return asking(request).allows(trials.SCOPE)
