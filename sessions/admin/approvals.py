"""The inbox: what waits for people, and the card on which they decide."""

from typing import Any

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

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking
from sessions.admin import approval_card as card
from sessions.admin.approval_form import DecideForm
from sessions.core.errors import ApprovalStale
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.services import approvals

LIST = "admin:aegis_sessions_approval_changelist"
ONE = "admin:aegis_sessions_approval_change"
PAGE = "admin/aegis/approval.html"


class ShownFilter(admin.SimpleListFilter):
    """What waits, unless somebody asks for what is decided."""

    title = "state"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("decided", "Decided"), ("mine", "Claimed by me"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": "Waiting",
        }
        yield from list(super().choices(changelist))[1:]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        match self.value():
            case "decided":
                return queryset.exclude(state=reading.PENDING).order_by("-decided_at")
            case "mine":
                return queryset.filter(state=reading.PENDING, claimed_by=asking(request).actor)
            case "all":
                return queryset
        return queryset.filter(state=reading.PENDING)


@admin.register(Approval)
class ApprovalAdmin(PlainAdmin):
    """Approvals are decided by their service, which asks who it is."""

    list_display = ("call_cell", "where_cell", "risk_cell", "state_cell", "left_cell", "claim_cell")
    list_filter = (ShownFilter, "session__environment", "tool_call__risk")
    search_fields = ("tool_call__tool", "run__agent_slug", "session__key", "session__name")
    search_help_text = "Tool, agent or session"
    ordering = ("expires_at",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        principal = asking(request)
        allowed = principal.allows("approvals:read")
        return reading.readable(principal) if allowed else Approval.objects.none()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {"title": "Approvals", **(extra_context or {})}
        )
        return shown

    @admin.display(description="Asked for", ordering="tool_call__tool")
    def call_cell(self, row: Approval) -> SafeString:
        return format_html(
            '<span class="ae-two"><span class="ae-name">{}</span>'
            '<span class="ae-key">{}</span></span>',
            row.tool_call.tool,
            card.preview(row.tool_call.arguments),
        )

    @admin.display(description="By, in")
    def where_cell(self, row: Approval) -> SafeString:
        return format_html(
            '<span class="ae-two"><span>{} {}</span><span class="ae-key">{}</span></span>',
            row.run.agent_slug,
            marks.environment(row.session.environment),
            row.session.name or row.session.key,
        )

    @admin.display(description="Risk", ordering="tool_call__risk")
    def risk_cell(self, row: Approval) -> SafeString:
        return card.risk(row.tool_call.risk)

    @admin.display(description="State", ordering="state")
    def state_cell(self, row: Approval) -> SafeString:
        return marks.chip(row.state, marks.APPROVAL)

    @admin.display(description="Left", ordering="expires_at")
    def left_cell(self, row: Approval) -> SafeString:
        return card.left(row, now=timezone.now())

    @admin.display(description="Looked at by")
    def claim_cell(self, row: Approval) -> SafeString:
        by = row.claimed_by if row.is_open else row.decided_by
        return format_html("{}", card.person(by)) if by else marks.none()

    def get_urls(self) -> list[URLPattern]:
        claim = self.admin_site.admin_view(require_POST(self.claim_view))
        own = path("<uuid:approval_id>/claim/", claim, name="aegis_sessions_approval_claim")
        return [own, *super().get_urls()]

    def claim_view(self, request: HttpRequest, approval_id: Any) -> HttpResponse:
        """Say that one looks at it, or no longer does."""
        row = self._find(request, str(approval_id))
        try:
            approvals.claim(
                principal=asking(request), approval=row, release="release" in request.POST
            )
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(reverse(ONE, args=[row.pk]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """The card, and the decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self._find(request, object_id)
        form = DecideForm(request.POST or None, approval=row)
        if request.method == "POST":
            answer = self._decide(request, row, form)
            if answer is not None:
                return answer
            row.refresh_from_db()
        principal = asking(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{row.tool_call.tool} for {row.run.agent_slug}",
            "form": form,
            "is_mine": row.claimed_by == principal.actor,
            "may_decide": row.is_open and principal.allows("approvals:decide"),
            **card.context(row, principal, now=timezone.now()),
        }
        return TemplateResponse(request, PAGE, context)

    def _decide(self, request: HttpRequest, row: Approval, form: DecideForm) -> HttpResponse | None:
        """Decide; None when the card has to be shown again with what was wrong."""
        approved = "approve" in request.POST
        if not form.is_valid() or (approved and not form.is_meant()):
            return None
        try:
            decided = form.decide(asking(request), approved=approved)
        except ApprovalStale as error:
            if "approval" not in error.details:
                form.tell(error)
                return None
            messages.warning(request, "What it rests on has moved. Look at it again.")
            return HttpResponseRedirect(reverse(ONE, args=[error.details["approval"]]))
        except AegisError as error:
            form.tell(error)
            return None
        messages.info(request, f"{decided.tool_call.tool} is {decided.approval.state}.")
        return HttpResponseRedirect(reverse(LIST))

    def _find(self, request: HttpRequest, reference: str) -> Approval:
        try:
            found = reading.find(asking(request), reference)
        except AegisError:
            raise Http404 from None
        return found

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return asking(request).allows("approvals:read")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
