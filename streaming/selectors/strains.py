"""What servers counted in the last hour of what went badly."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max, Sum
from django.utils import timezone

from streaming.models import Strain

SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Strained:
    """One thing of all processes: how often, and the worst of it in milliseconds."""

    subject: str
    session: str
    who: str
    count: int
    worst: float


def statements() -> list[Strained]:
    """Slow statements by their shape, the slowest first."""
    return _of(Strain.Kind.STATEMENT, by=["-slowest"])


def losses() -> list[Strained]:
    """Lost records by topic and component, most first."""
    return _of(Strain.Kind.LOSS, by=["-total", "subject", "who"])


def _of(kind: Strain.Kind, *, by: Iterable[str]) -> list[Strained]:
    rows = (
        Strain.objects.filter(kind=kind, seen_at__gte=timezone.now() - SPAN)
        .values_list("subject", "session__key", "who")
        .annotate(total=Sum("count"), slowest=Max("worst"))
        .order_by(*by)
    )
    return [Strained(subject, key or "", who, n, worst) for subject, key, who, n, worst in rows]
