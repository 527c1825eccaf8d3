"""The inbox: what waits for people, and the card on which they decide."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from aegis_project.kit.errors import AegisError
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking
from sessions.admin import approval_card as card
from sessions.admin import approval_cells as cells
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


def _column(name: str, description: str, ordering: str | None = None) -> Any:
    @admin.display(description=description, ordering=ordering)
    def show(_: Any, row: Approval) -> SafeString:
        return cells.CELLS[name](row, now=timezone.now())

    show.__name__ = name
    return show


@admin.register(Approval)
class ApprovalAdmin(PlainAdmin):
    """Approvals are decided by their service, which asks who it is."""

    call_cell = _column("call_cell", "Asked for", "tool_call__tool")
    where_cell = _column("where_cell", "By, in")
    risk_cell = _column("risk_cell", "Risk", "tool_call__risk")
    state_cell = _column("state_cell", "State", "state")
    left_cell = _column("left_cell", "Left", "expires_at")
    claim_cell = _column("claim_cell", "Looked at by")

    list_display = tuple(cells.CELLS)
    list_filter = (ShownFilter, "session__environment", "tool_call__risk")
    search_fields = ("tool_call__tool", "run__agent_slug", "session__key", "session__name")
    search_help_text = "Tool, agent or session"
    ordering = ("expires_at",)
    actions = None
    change_list_template = "admin/aegis/approvals.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        principal = asking(request)
        allowed = principal.allows("approvals:read")
        return reading.readable(principal) if allowed else Approval.objects.none()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The inbox; empty, it says what was decided last."""
        waits = request.GET.get(ShownFilter.parameter_name) != "decided"
        shown: Any = super().changelist_view(
            request, {"title": "Approvals", "waits": waits, **(extra_context or {})}
        )
        found = getattr(shown, "context_data", None)
        if found and not found["cl"].result_list:
            found["last"] = card.last_decided(asking(request))
        return shown  # type: ignore[no-any-return]

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
