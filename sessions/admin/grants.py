"""The rules made from decisions: what they let by, exactly where, and their end."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from aegis_project.lists import Empty
from components.admin.asking import asking
from sessions.admin.serviced import ServicedAdmin
from sessions.models import Grant
from sessions.selectors import policies as reading
from sessions.services import policies

VERDICTS = {"auto": "let by", "deny": "denied"}


class HoldsFilter(admin.SimpleListFilter):
    """Whether a rule still holds."""

    title = "state"
    parameter_name = "holds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Holds"), ("no", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> QuerySet[Grant]:
        holds = Q(revoked_at=None) & (Q(until=None) | Q(until__gt=timezone.now()))
        chosen = {"yes": holds, "no": ~holds}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(Grant)
class GrantAdmin(ServicedAdmin):
    """Rules made from decisions are read, and ended by their service; nobody writes one here."""

    list_display = ("tool_cell", "scope_cell", "made_cell", "until_cell")
    list_filter = (HoldsFilter,)
    search_fields = ("tool", "made_by", "agent__slug", "session__key")
    search_help_text = "Tool, agent, session or who decided"
    empty = Empty(
        "No grant yet",
        "A grant is a rule that somebody made of a decision: such calls go by, or are denied, until it ends. One is made on the card of an approval.",
        "./aegis policy grants",
    )
    ordering = ("-created_at",)
    noun, page = "grant", "admin/aegis/grant.html"
    read_scope, write_scope = "policies:read", "policies:write"
    show_add_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        principal = asking(request)
        if not principal.allows(self.read_scope):
            return Grant.objects.none()
        return reading.grants(principal).select_related("session", "run__session")

    @admin.display(description="Grant", ordering="tool")
    def tool_cell(self, row: Grant) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name ae-mono">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.tool,
            " ".join([VERDICTS[row.verdict], *([when(row)] if row.conditions else [])]),
        )

    @admin.display(description="Holds for")
    def scope_cell(self, row: Grant) -> SafeString:
        return format_html("{}", scope(row))

    @admin.display(description="Made by", ordering="created_at")
    def made_cell(self, row: Grant) -> SafeString:
        return format_html(
            '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
            row.made_by,
            marks.clock(row.created_at, now=timezone.now()),
        )

    @admin.display(description="Until", ordering="until")
    def until_cell(self, row: Grant) -> SafeString:
        return until(row)

    def make_form(self, request: HttpRequest, row: Grant | None) -> forms.Form:
        # Nothing of it is written here, so what is sent is not even read.
        return forms.Form()

    def remove(self, principal: Principal, row: Grant) -> str:
        policies.revoke(principal=principal, grant=row.pk)
        return f"The grant of {row.tool} is ended; what it let by stays."

    def may_write(self, request: HttpRequest, row: Grant | None) -> bool:
        return row is not None and row.revoked_at is None and super().may_write(request, row)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def more(self, request: HttpRequest, row: Grant) -> dict[str, Any]:
        """The facts of a rule, as they are stored."""
        now = timezone.now()
        facts: list[tuple[str, Any]] = [
            ("Tool", format_html('<span class="ae-mono">{}</span>', row.tool)),
            ("Its calls are", VERDICTS[row.verdict]),
            ("Holds for", scope(row)),
            ("Arguments", when(row) or "any"),
            ("Made by", row.made_by),
            ("Made at", marks.clock(row.created_at, now=now)),
            ("Until", until(row)),
        ]
        return {"title": f"Grant of {row.tool}", "facts": facts}


def scope(row: Grant) -> str:
    """Where a rule holds: of one run, one session, or one agent in one environment."""
    if row.run is not None:
        return f"run {row.run.place} of session {row.run.session.key}"
    if row.session is not None:
        return f"session {row.session.key}"
    agent = row.agent.slug if row.agent is not None else "no agent any more"
    team = f", team {row.team.name}" if row.team is not None else ""
    return f"agent {agent} in {row.environment}{team}"


def when(row: Grant) -> str:
    """The conditions on the arguments, in words; empty for any."""
    said = [
        " ".join(str(one[name]) for name in ("path", "op", "value") if name in one)
        for one in row.conditions
    ]
    return f"when {' and '.join(said)}" if said else ""


def until(row: Grant) -> SafeString:
    """How long a rule holds, or that it does no more."""
    now = timezone.now()
    if row.revoked_at is not None:
        return format_html("ended {}", marks.clock(row.revoked_at, now=now))
    if row.until is None:
        return marks.none("until it is ended")
    is_over = row.until <= now
    return format_html("{}{}", "was over " if is_over else "", marks.clock(row.until, now=now))
