"""What the session list can be narrowed to."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from components.admin.asking import asking
from components.core.lifecycle import CONNECTED
from components.models import Component
from sessions.core import lifecycle
from sessions.models import Session, SessionTag
from sessions.selectors import sessions, tags

MOST_TAGS = 100
GONE = ("lost", "failed")


class ViewFilter(SimpleListFilter):
    """The views of the list, shown as its tabs."""

    title = "view"
    parameter_name = "view"
    template = "admin/aegis/nothing.html"

    VIEWS = {
        "open": "All open",
        "mine": "Mine",
        "broken": "Broken",
        "production": "Production running",
        "closed": "Closed",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.VIEWS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        match current_view(request):
            case "mine":
                return queryset.filter(owner=request.user.pk).exclude(state__in=lifecycle.CLOSED)
            case "broken":
                return queryset.filter(Q(state="failed") | _has_gone(), state__in=lifecycle.OPEN)
            case "production":
                return queryset.filter(environment="production", state="running")
            case "closed":
                return queryset.filter(state__in=lifecycle.CLOSED)
            case "open":
                # What a later Aegis calls by a word that is not known here is not hidden.
                return queryset.exclude(state__in=lifecycle.CLOSED)
        return queryset


def current_view(request: HttpRequest) -> str:
    """The view that is shown: everything open, unless a state is asked for by itself."""
    value = request.GET.get(ViewFilter.parameter_name)
    if value is None and "state__exact" in request.GET:
        return ""
    return value if value in ViewFilter.VIEWS else "open"


class TagFilter(SimpleListFilter):
    """The tags that the sessions in sight carry."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        carried = SessionTag.objects.filter(
            session__in=sessions.visible(asking(request)).values("pk")
        )
        names = carried.order_by("tag__name").values_list("tag__name", flat=True).distinct()
        return [(name, name) for name in names[:MOST_TAGS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        chosen = self.value()
        is_known = chosen in dict(self.lookup_choices)
        return tags.carrying(queryset, str(chosen)) if is_known else queryset


class ConditionFilter(SimpleListFilter):
    """Conditions that can be asked of the rows."""

    title = "condition"
    parameter_name = "condition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("degraded", "Degraded"), ("starting", "Starting"), ("replaying", "Replaying")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        match self.value():
            case "degraded":
                runs = Q(state="running") | Q(start_requested_at__isnull=False)
                return queryset.filter(runs & _has_gone())
            case "starting":
                return queryset.exclude(start_requested_at=None)
            case "replaying":
                return queryset.filter(mode="historical", state="running")
        return queryset


def _has_gone() -> Exists:
    orphaned = Q(state__in=CONNECTED, lease__expires_at__lte=timezone.now())
    gone = Component.objects.filter(Q(state__in=GONE) | orphaned)
    return Exists(gone.filter(session=OuterRef("pk")))


def search(queryset: QuerySet[Session], term: str) -> QuerySet[Session]:
    """Sessions whose name, key, id or a participant's name contains the term."""
    wanted = Q(name__icontains=term) | Q(key__icontains=term)
    wanted |= Q(Exists(Component.objects.filter(session=OuterRef("pk"), name__icontains=term)))
    digits = term.replace("-", "").lower()
    if len(digits) >= 4 and all(digit in "0123456789abcdef" for digit in digits):
        wanted |= Q(pk__gte=digits.ljust(32, "0")[:32], pk__lte=digits.ljust(32, "f")[:32])
    return queryset.filter(wanted)
