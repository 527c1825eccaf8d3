"""How much was made in a session: tool calls, checkpoints, and files."""

from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from sessions.models import Artifact, Checkpoint, Session, ToolCall


def of(session_id: UUID) -> dict[str, int]:
    """By the tab that shows it, in one query; of a file all versions are one."""
    rows = Session.objects.filter(pk=session_id).values_list(
        _count(ToolCall.objects.all(), "pk"),
        _count(Checkpoint.objects.all(), "pk"),
        _count(Artifact.objects.all(), "name"),
    )
    return dict(zip(("calls", "checkpoints", "artifacts"), rows.get(), strict=True))


def _count(
    rows: QuerySet[ToolCall] | QuerySet[Checkpoint] | QuerySet[Artifact], what: str
) -> Coalesce:
    of_session = rows.filter(session=OuterRef("pk")).order_by().values("session")
    counted = of_session.annotate(count=Count(what, distinct=True)).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
