"""Reading the audit: who sees which entries."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from streaming.models import AuditEntry

SCOPE = "audit:read"
AT_ONCE = 1000
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Which entries somebody asks for; what is empty narrows nothing.

    ``command`` and ``actor`` may end in ``*``; ``session`` is an id or a key; a moment belongs to
    the entries from it on, ``until`` to those before. ``text`` stands somewhere in the entry, in
    any case.
    """

    command: str = ""
    actor: str = ""
    transport: str = ""
    outcome: str = ""
    code: str = ""
    session: str = ""
    target: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


def readable(principal: Principal) -> QuerySet[AuditEntry]:
    """
    The entries that the principal may read: of sessions of its teams, and of what it did itself.

    :raises PermissionDenied: without the scope audit:read
    """
    principal.require(SCOPE)
    rows = AuditEntry.objects.select_related("session")
    if principal.session_id is not None:
        rows = rows.filter(session=UUID(principal.session_id))
    if principal.teams is None:
        return rows
    return rows.filter(Q(session__team__in=principal.teams) | Q(principal_id=principal.id))


def find(principal: Principal, reference: int | str) -> AuditEntry:
    """
    One entry by its id.

    :raises PermissionDenied: without the scope audit:read
    :raises NotFound: if it is not there for the principal
    """
    text = str(reference)
    rows = readable(principal)
    found = None
    if text.isascii() and text.isdigit() and int(text[:20]) <= MAX_ID:
        found = rows.filter(pk=int(text)).first()
    if found is None:
        raise NotFound("There is no such entry of the audit.", entry=text[:64])
    return found


def narrowed(rows: QuerySet[AuditEntry], wanted: Wanted) -> QuerySet[AuditEntry]:
    """The entries among these that somebody asks for."""
    for name in ("transport", "outcome", "code", "target", "request_id"):
        value = getattr(wanted, name)
        rows = rows.filter(**{name: value}) if value else rows
    for name in ("command", "actor"):
        value = getattr(wanted, name)
        if value.endswith("*"):
            rows = rows.filter(**{f"{name}__startswith": value[:-1]})
        elif value:
            rows = rows.filter(**{name: value})
    if wanted.session:
        rows = rows.filter(_of_session(wanted.session))
    rows = rows.filter(_has(wanted.text)) if wanted.text else rows
    rows = rows.filter(at__gte=wanted.since) if wanted.since else rows
    return rows.filter(at__lt=wanted.until) if wanted.until else rows


def _has(text: str) -> Q:
    # SQLite keeps JSON as it is written, in ASCII; PostgreSQL as it is meant.
    written = json.dumps(text)[1:-1]
    found = Q(detail__icontains=text) | Q(detail__icontains=written)
    for name in ("command", "actor", "target", "code", "request_id", "session__key"):
        found |= Q(**{f"{name}__icontains": text})
    return found


def _of_session(reference: str) -> Q:
    # Who was refused may not have found the session; the entry has what it was called then.
    refused = Q(session=None, target=reference)
    try:
        return Q(session=UUID(reference)) | refused
    except ValueError:
        return Q(session__key=reference) | refused


def batch(rows: QuerySet[AuditEntry], *, after: int) -> list[AuditEntry]:
    """Some of these entries, in the order in which they were written, behind one of them."""
    return list(rows.filter(pk__gt=after).order_by("pk")[:AT_ONCE])


def has_unsealed() -> bool:
    """Whether there are entries that are not in the chain yet."""
    return AuditEntry.objects.filter(place=None).exists()


def unsealed_count() -> int:
    """How many entries are not in the chain yet."""
    return AuditEntry.objects.filter(place=None).count()
