"""Reading how far components say that they have processed their topics."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from streaming.models import Cursor


def of_component(component_id: UUID) -> QuerySet[Cursor]:
    """The cursors of a component, by topic."""
    rows = Cursor.objects.filter(component=component_id).select_related("log")
    return rows.order_by("log__name")


def of_topic(session_id: UUID, name: str, component_ids: Collection[str]) -> dict[str, Cursor]:
    """The cursors of these components in one topic, by component id."""
    rows = Cursor.objects.filter(log__session=session_id, log__name=name)
    wanted = [UUID(one) for one in component_ids]
    return {str(row.component_id): row for row in rows.filter(component__in=wanted)}
