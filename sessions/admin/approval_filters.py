"""What the inbox can be narrowed to, and in which order it stands."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest
from django.utils import timezone

from components.admin.asking import asking
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from sessions.selectors import approvals as reading

RISKIEST_FIRST = Case(
    *(When(tool_call__risk=risk, then=place) for place, risk in enumerate(reversed(Risk))),
    default=len(Risk),
)
MOST_OFFERED = 50
TODAY = "today"
DECIDED = ("decided", TODAY)


class Way(NamedTuple):
    """One of some links: where it leads, whether one is there, and the place of its count."""

    title: str
    query: str
    is_current: bool
    counted: str = ""


class ShownFilter(SimpleListFilter):
    """What waits, unless somebody asks for what is decided."""

    title = "state"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("decided", "Decided"),
            (TODAY, "Decided today"),
            ("mine", "With me"),
            ("all", "All"),
        ]

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
            case "today":
                today = reading.decided_today(queryset, now=timezone.now())
                return today.order_by("-decided_at")
            case "mine":
                return reading.with_them(queryset, asking(request))
            case "all":
                return queryset
        return queryset.filter(state=reading.PENDING)


class Offered(SimpleListFilter):
    """One of the values that what waits has; there are as many as there is to decide on."""

    field: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        waiting = model_admin.get_queryset(request).filter(state=reading.PENDING)
        found = waiting.order_by(self.field).values_list(self.field, flat=True).distinct()
        asked = request.GET.get(self.parameter_name or "")
        values = dict.fromkeys([*found[:MOST_OFFERED], *([asked] if asked else [])])
        return [(value, value) for value in values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class AgentFilter(Offered):
    """Which agent asks."""

    title = "agent"
    parameter_name = "agent"
    field = "run__agent_slug"


class ToolFilter(Offered):
    """Which tool is asked for."""

    title = "tool"
    parameter_name = "tool"
    field = "tool_call__tool"


class SessionFilter(Offered):
    """In which session it is asked."""

    title = "session"
    parameter_name = "session"
    field = "session__key"


def whose(changelist: Any) -> Iterator[Way]:
    """With me, with anybody of the team, and what was decided, too."""
    name = ShownFilter.parameter_name
    now = changelist.params.get(name)
    for title, value, counted in (
        ("Mine", "mine", "mine"),
        ("Team", None, "team"),
        ("All", "all", ""),
    ):
        query = changelist.get_query_string({name: value} if value else {}, [name])
        yield Way(title, query, now == value, counted)


def orders(changelist: Any) -> Iterator[Way]:
    """By expiry, as they stand unless somebody says otherwise, by risk, and by age."""
    now = changelist.params.get(ORDER_VAR)
    columns = list(changelist.list_display)
    for title, column in (("Expiry", ""), ("Risk", "risk_cell"), ("Age", "asked_cell")):
        order = str(columns.index(column)) if column else None
        is_current = now == order if order else not now
        query = changelist.get_query_string({ORDER_VAR: order} if order else {}, [ORDER_VAR])
        yield Way(title, query, is_current)
