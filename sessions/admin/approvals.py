"""The inbox: what waits for people, and the card on which they decide."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from aegis_project.lists import PlainAdmin
from components.admin.asking import asking
from sessions.admin import approval_bulk, approval_deciding, approval_inbox
from sessions.admin import approval_card as card
from sessions.admin import approval_cells as cells
from sessions.admin import approval_filters as filters
from sessions.admin.approval_filters import ShownFilter
from sessions.admin.approval_form import DecideForm
from sessions.admin.fragments import fragment
from sessions.admin.heading import Heading
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import situation

PAGE = "admin/aegis/approval.html"
CARD = "card"


def _column(name: str, description: str, ordering: Any = None) -> Any:
    @admin.display(description=description, ordering=ordering)
    def show(_: Any, row: Approval) -> SafeString:
        return cells.CELLS[name](row, now=timezone.now())

    show.__name__ = name
    return show


def _without(query: QueryDict, name: str) -> Any:
    """A query without what is no property of its rows."""
    rest = query.copy()
    rest.pop(name, None)
    return rest


@admin.register(Approval)
class ApprovalAdmin(PlainAdmin):
    """Approvals are decided by their service, which asks who it is."""

    call_cell = _column("call_cell", "Asked for", "tool_call__tool")
    where_cell = _column("where_cell", "By, in")
    risk_cell = _column("risk_cell", "Risk", filters.RISKIEST_FIRST)
    state_cell = _column("state_cell", "State", "state")
    left_cell = _column("left_cell", "Left", "expires_at")
    claim_cell = _column("claim_cell", "With")

    list_display = (*cells.CELLS, "asked_cell")
    list_filter = (
        ShownFilter,
        filters.AgentFilter,
        filters.ToolFilter,
        filters.SessionFilter,
        "session__environment",
        "tool_call__risk",
    )
    list_filter_sheet = True
    search_fields = ("tool_call__tool", "run__agent_slug", "session__key", "session__name")
    search_help_text = "Tool, agent or session"
    ordering = ("expires_at",)
    actions = (approval_bulk.approve, approval_bulk.reject)
    change_list_template = "admin/aegis/approvals.html"

    @admin.display(description="Asked", ordering="requested_at")
    def asked_cell(self, row: Approval) -> SafeString:
        """When it was asked for."""
        return marks.clock(row.requested_at, now=timezone.now())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        principal = asking(request)
        allowed = principal.allows("approvals:read")
        return reading.readable(principal) if allowed else Approval.objects.none()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The inbox; ``card`` in its address is which card a page shows beside it."""
        request.GET = _without(request.GET, CARD)
        waits = request.GET.get(ShownFilter.parameter_name) not in filters.DECIDED
        told = {"title": "Approvals", "waits": waits}
        if self.has_view_permission(request):
            told["inbox"] = approval_inbox.parts(asking(request))
        shown: Any = super().changelist_view(request, {**told, **(extra_context or {})})
        found = getattr(shown, "context_data", None)
        if found and "cl" in found:
            found["last"] = approval_inbox.last_decided(asking(request), now=timezone.now())
            found["whose"] = list(filters.whose(found["cl"]))
            found["orders"] = list(filters.orders(found["cl"]))
        return shown  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        claim = self.admin_site.admin_view(require_POST(self.claim_view))
        shown = self.admin_site.admin_view(require_GET(fragment(self.card_view)))
        measure = self.admin_site.admin_view(require_GET(self.measure_view))
        digest = self.admin_site.admin_view(require_POST(self.digest_view))
        own = [
            path("<uuid:approval_id>/claim/", claim, name="aegis_sessions_approval_claim"),
            path("<uuid:approval_id>/measure/", measure, name="aegis_sessions_approval_measure"),
            path("<uuid:approval_id>/digest/", digest, name="aegis_sessions_approval_digest"),
            path("<uuid:approval_id>/card/", shown, name="aegis_sessions_approval_card"),
        ]
        return [*own, *super().get_urls()]

    def card_view(self, request: HttpRequest, approval_id: Any) -> HttpResponse:
        """The card alone, for the page that shows it beside the inbox."""
        principal = asking(request)
        principal.require("approvals:read")
        row = reading.find(principal, str(approval_id))
        return TemplateResponse(request, f"{card.PARTS_AT}/card.html", self._shown(request, row))

    def claim_view(self, request: HttpRequest, approval_id: Any) -> HttpResponse:
        """Say that one looks at it or no longer does, or leave it to somebody else."""
        return approval_deciding.claim(request, self._find(request, str(approval_id)))

    def measure_view(self, request: HttpRequest, approval_id: Any) -> HttpResponse:
        """Measure again what the decision rests on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return approval_deciding.measure(request, self._find(request, str(approval_id)))

    def digest_view(self, request: HttpRequest, approval_id: Any) -> HttpResponse:
        """The digest of a call with other arguments."""
        return approval_deciding.digest(request, self._find(request, str(approval_id)))

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
        if request.method == "POST":
            return approval_deciding.decide(request, row)
        return self._card(request, row)

    def _card(self, request: HttpRequest, row: Approval) -> HttpResponse:
        shown = self._shown(request, row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{row.tool_call.tool} for {row.run.agent_slug}",
            "is_page": True,
            **shown,
            "original": Heading(Approval, shown["crumb"], row.pk),
        }
        return TemplateResponse(request, PAGE, context)

    def _shown(self, request: HttpRequest, row: Approval) -> dict[str, Any]:
        principal, now = asking(request), timezone.now()
        known = situation.now(row) if row.is_open else None
        course = situation.course_now(row) if row.is_open else None
        shown = card.context(row, principal, known=known, course=course, now=now)
        return {
            "form": DecideForm(approval=row),
            "parts": card.render(shown),
            "moment": card.moment(row),
            "receivers": reading.receivers(row, principal) if shown["may_decide"] else [],
            **shown,
        }

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

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the verbs for several are there."""
        return asking(request).allows("approvals:decide")
