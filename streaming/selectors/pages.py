"""Pages of a list in a stable order, each beginning where the one before ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet

from aegis_project.kit.errors import ValidationFailed

M = TypeVar("M", bound=Model)
SALT = "aegis.page"


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows, and the cursor of the page that follows; an empty one after the last page."""

    rows: list[M]
    next: str


def page(rows: QuerySet[M], *, order: str, cursor: str, limit: int) -> Page[M]:
    """
    At most ``limit`` rows after the cursor, ordered by a time field and then the key.

    ``order`` is the field, with a minus for the newest first. What is inserted or removed
    meanwhile neither repeats nor hides other rows. One query.

    :raises ValidationFailed: for a cursor that was not given for this order
    """
    field, sign = order.removeprefix("-"), "-" if order.startswith("-") else ""
    if cursor:
        rows = rows.filter(_beyond(field, sign, _open(order, cursor)))
    return cut(list(ordered(rows, order=order, limit=limit)), order=order, limit=limit)


def ordered(rows: QuerySet[M], *, order: str, limit: int) -> QuerySet[M]:
    """The rows of a page in their order, and one more, which tells that there is another page."""
    field, sign = order.removeprefix("-"), "-" if order.startswith("-") else ""
    return rows.order_by(f"{sign}{field}", f"{sign}pk")[: limit + 1]


def cut(found: list[M], *, order: str, limit: int) -> Page[M]:
    """The page that such rows are."""
    more = len(found) > limit
    field = order.removeprefix("-")
    return Page(found[:limit], _close(order, field, found[limit - 1]) if more else "")


def _beyond(field: str, sign: str, place: tuple[datetime, str]) -> Q:
    side = "lt" if sign else "gt"
    at, key = place
    # The first condition says nothing new; it lets the database begin in its index.
    return Q(**{f"{field}__{side}e": at}) & (
        Q(**{f"{field}__{side}": at}) | Q(**{field: at, f"pk__{side}": key})
    )


def _close(order: str, field: str, row: Any) -> str:
    return signing.dumps([order, getattr(row, field).isoformat(), str(row.pk)], salt=SALT)


def _open(order: str, cursor: str) -> tuple[datetime, str]:
    # It is signed, so what is in it was put there by `_close`.
    try:
        own, at, key = signing.loads(cursor, salt=SALT)
    except signing.BadSignature:
        own, at, key = "", "", ""
    if own != order:
        raise ValidationFailed("The cursor is not one of this list.", fields=["cursor"])
    return datetime.fromisoformat(at), key
