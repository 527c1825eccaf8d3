"""What the session list can be narrowed to."""

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from aegis_project import marks
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from components.models import Component
from sessions.admin import views
from sessions.admin.ticks import Ticks
from sessions.core import lifecycle, run_log
from sessions.models import Session, SessionTag
from sessions.selectors import idleness, sessions
from streaming.models import Log
from streaming.models.log import LEDGER

MOST_TAGS = 100


class ViewFilter(SimpleListFilter):
    """The views of the list, shown as its tabs."""

    title = "view"
    parameter_name = "view"
    template = "admin/aegis/nothing.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, view.title) for word, view in views.VIEWS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        return queryset.filter(
            views.narrowing(current_view(request), user_id=asking(request).user_id)
        )


def current_view(request: HttpRequest) -> str:
    """The view that is shown: everything open, unless a state is asked for by itself."""
    value = request.GET.get(ViewFilter.parameter_name)
    if value is None and not request.GET.keys().isdisjoint({"state", "state__exact"}):
        return ""
    return value if value in views.VIEWS else "open"


class StateFilter(Ticks):
    """The states; one that a later Aegis knows is there when it is asked for."""

    title = "state"
    parameter_name = "state"
    words = tuple(state.value for state in lifecycle.State)
    marks = marks.SESSION


class EnvironmentFilter(Ticks):
    """The environments, production first."""

    title = "environment"
    parameter_name = "environment"
    words = tuple(
        sorted((one.value for one in lifecycle.Environment), key=lambda one: one != "production")
    )


class KindFilter(Ticks):
    """What work it is."""

    title = "kind"
    parameter_name = "kind"
    words = tuple(kind.value for kind in lifecycle.Kind)
    is_folded = True


class ModeFilter(Ticks):
    """Whether it runs on what is now, or on what was."""

    title = "mode"
    parameter_name = "mode"
    words = tuple(mode.value for mode in lifecycle.Mode)
    is_folded = True


class TagFilter(Ticks):
    """The tags that the sessions in sight carry."""

    title = "tag"
    parameter_name = "tag"
    is_folded = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        carried = SessionTag.objects.filter(
            session__in=sessions.visible(asking(request)).values("pk")
        )
        names = carried.order_by("tag__name").values_list("tag__name", flat=True).distinct()
        return [(name, name) for name in names[:MOST_TAGS]]

    def any_of(self, ticked: list[str]) -> Q:
        carried = SessionTag.objects.filter(session=OuterRef("pk"), tag__name__in=ticked)
        return Q(Exists(carried))


class ConditionFilter(Ticks):
    """The conditions that can be asked of the rows."""

    title = "condition"
    parameter_name = "condition"
    words = ("waiting", "degraded", "starting", "replaying", "stale")
    marks = marks.CONDITION

    def any_of(self, ticked: list[str]) -> Q:
        known = [_condition(word) for word in ticked if word in self.words]
        return reduce(or_, known, Q(pk__in=[]))


def _condition(word: str) -> Q:
    match word:
        case "waiting":
            return sessions.is_waited_for()
        case "degraded":
            runs = Q(state="running") | Q(start_requested_at__isnull=False)
            return runs & views.has_gone()
        case "starting":
            return Q(start_requested_at__isnull=False)
        case "replaying":
            return Q(mode="historical", state="running")
    return Q(pk__in=idleness.stale(now=timezone.now()))


def search(principal: Principal, queryset: QuerySet[Session], term: str) -> QuerySet[Session]:
    """Sessions in whose name, key, id, tags, names of participants or of topics the term is."""
    own = OuterRef("pk")
    wanted = _named(term)
    wanted |= Q(Exists(SessionTag.objects.filter(session=own, tag__name__icontains=term)))
    if principal.allows("topics:read"):
        found = Log.objects.filter(session=own, name__icontains=term)
        wanted |= Q(Exists(found.exclude(name=LEDGER).exclude(name__startswith=run_log.PREFIX)))
    return queryset.filter(wanted)


def named(queryset: QuerySet[Session], term: str) -> QuerySet[Session]:
    """Sessions in whose name, key, id or names of participants the term is."""
    return queryset.filter(_named(term))


def _named(term: str) -> Q:
    wanted = Q(name__icontains=term) | Q(key__icontains=term)
    wanted |= Q(Exists(Component.objects.filter(session=OuterRef("pk"), name__icontains=term)))
    digits = term.replace("-", "").lower()
    if len(digits) >= 4 and all(digit in "0123456789abcdef" for digit in digits):
        wanted |= Q(pk__gte=digits.ljust(32, "0")[:32], pk__lte=digits.ljust(32, "f")[:32])
    return wanted
