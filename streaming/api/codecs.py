"""From what a request says to typed values, and from these to what is answered."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import ValidationFailed

S = TypeVar("S", bound=Struct)

MAX_FLOAT = 2.0**63

Timestamp = Annotated[datetime, Meta(tz=True, description="UTC, RFC 3339")]
# Further away than this, converting between time zones leaves the calendar.
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def read(value: Any, kind: type[S]) -> S:
    """
    A decoded JSON value as ``kind``.

    :raises ValidationFailed: for no object, unknown members (all named) or a wrong type
    """
    if not isinstance(value, dict):
        raise ValidationFailed("An object is required.")
    _refuse_unknown(value, kind)
    return _convert(value, kind, strict=True)


def read_query(query: Mapping[str, str], kind: type[S], *, others: frozenset[str]) -> S:
    """
    The parameters of an address as ``kind``, leaving out the ``others`` that somebody else reads.

    :raises ValidationFailed: for unknown ones (all named) or a wrong type
    """
    values = {name: value for name, value in query.items() if name not in others}
    _refuse_unknown(values, kind)
    for name, value in query.items():
        if "\x00" in value:
            raise ValidationFailed(f"{name}: There is a NUL character.", fields=[name])
    return _convert(values, kind, strict=False)


def show(document: Struct) -> dict[str, Any]:
    """A document as what the renderer takes; fields that are not set are left out."""
    shown = msgspec.to_builtins(document, builtin_types=(datetime, UUID))
    assert isinstance(shown, dict)  # noqa: S101 -- structs become dicts
    return shown


def in_utc(at: datetime) -> datetime:
    """
    The same moment in UTC.

    :raises ValueError: for one that not every time zone can express
    """
    if not EARLIEST <= at <= LATEST:
        raise ValueError("The year must be from 1970 to 9999")
    return at.astimezone(UTC)


def check_kept(*values: Any) -> None:
    """
    Go on only with JSON values that come back from a database as they were.

    PostgreSQL keeps numbers as decimals: a large one comes back as an integer, and beyond 64 bits
    neither our encoders nor many clients read those.

    :raises ValueError: otherwise
    """
    rest = list(values)
    while rest:
        one = rest.pop()
        if isinstance(one, float) and abs(one) >= MAX_FLOAT:
            raise ValueError("There is a number beyond 64 bits")
        if isinstance(one, dict):
            rest.extend(one.values())
        elif isinstance(one, list):
            rest.extend(one)


@cache
def names(kind: type[Struct]) -> frozenset[str]:
    """The members that a kind of document has."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(kind))


def _refuse_unknown(value: Mapping[str, Any], kind: type[Struct]) -> None:
    unknown = sorted(value.keys() - names(kind))
    if unknown:
        raise ValidationFailed(f"Unknown: {', '.join(unknown)[:300]}.", fields=unknown[:20])


def _convert(value: dict[str, Any], kind: type[S], *, strict: bool) -> S:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        field = where.rstrip("`").removeprefix("$").removeprefix(".")
        message = f"{field}: {what}" if field else what
        raise ValidationFailed(f"{message}.", fields=[field] if field else []) from None


def pick(documents: list[dict[str, Any]], fields: str, kind: type[Struct]) -> list[dict[str, Any]]:
    """
    Only these ``fields`` (their names with commas between) of documents; all when there are none.

    :raises ValidationFailed: for a field that the kind does not have
    """
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    unknown = sorted(set(wanted) - names(kind))
    if unknown:
        raise ValidationFailed(f"Unknown: {', '.join(unknown)[:300]}.", fields=unknown[:20])
    if not wanted:
        return documents
    return [{name: one[name] for name in wanted if name in one} for one in documents]
