"""Ids by their beginnings, as tables show them on a terminal."""

from typing import Any

from django.db.models import QuerySet

from sessions.core import keys
from sessions.core.errors import AmbiguousReference
from sessions.management.client import Client

# As many of a list are looked through at a server.
MOST = 1000


def whole(rows: QuerySet[Any], reference: str) -> str:
    """
    The id among these that begins so; what is no beginning of one stays as it is.

    :raises AmbiguousReference: if several do
    """
    span = keys.span(reference)
    if span is None:
        return reference
    found = rows.filter(pk__gte=span[0], pk__lte=span[1]).order_by("pk")
    return _only([str(pk) for pk in found.values_list("pk", flat=True)[:2]], reference)


def far_whole(server: Client, *parts: str, reference: str, **query: Any) -> str:
    """
    The id in a list of a server that begins so; what is no beginning of one stays as it is.

    :raises AmbiguousReference: if several do
    """
    if keys.span(reference) is None:
        return reference
    rows, _ = server.several(*parts, limit=MOST, **query)
    digits = reference.replace("-", "").lower()
    ids = [str(row["id"]) for row in rows]
    return _only([one for one in ids if one.replace("-", "").startswith(digits)], reference)


def _only(ids: list[str], reference: str) -> str:
    if len(ids) > 1:
        raise AmbiguousReference(
            f"More than one id begins with {reference}; use more of it.", reference=reference
        )
    return ids[0] if ids else reference
