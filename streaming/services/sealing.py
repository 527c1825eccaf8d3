"""Putting entries of the audit into the hash chain."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from aegis_project import database
from streaming.core import audit_chain
from streaming.models import AuditChain, AuditEntry

logger = logging.getLogger(__name__)

BATCH = 500
"""So many are sealed in one transaction, which takes a few milliseconds."""
HELD_SECONDS = 10
TOLD_EVERY = timedelta(minutes=1)


def seal(*, lease_id: UUID, limit: int = BATCH) -> int:
    """
    Put the oldest entries without a place at the end of the chain; how many these were.

    The order of the chain is that of sealing: an entry that was committed late stands behind those
    that were there before, whatever its id. None is sealed by the process of this lease while
    another process does it.
    """
    with database.atomic():
        chain = _locked()
        now = timezone.now()
        if not _may_hold(chain, lease_id, now):
            return 0
        rows = AuditEntry.objects.filter(place=None).order_by("pk").values(*audit_chain.FIELDS)
        found = list(rows[:limit])
        if found:
            _append(chain, found)
            _tell(chain, now)
        chain.holder, chain.held_until = lease_id, now + timedelta(seconds=HELD_SECONDS)
        chain.save()
        return len(found)


def _locked() -> AuditChain:
    AuditChain.objects.get_or_create(pk=AuditChain.ONLY)
    return AuditChain.objects.select_for_update().get(pk=AuditChain.ONLY)


def _may_hold(chain: AuditChain, lease_id: UUID, now: datetime) -> bool:
    is_free = chain.held_until is None or chain.held_until <= now
    return is_free or chain.holder == lease_id


def _append(chain: AuditChain, entries: list[dict[str, Any]]) -> None:
    sealed = [_sealed(chain, entry) for entry in entries]
    table = connection.ops.quote_name(AuditEntry._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET place = %s, previous = %s, digest = %s WHERE id = %s",  # noqa: S608 -- our own name
            sealed,
        )


def _sealed(chain: AuditChain, entry: Mapping[str, Any]) -> tuple[int, str, str, int]:
    previous = chain.digest
    chain.place += 1
    chain.digest = audit_chain.digest(entry, place=chain.place, previous=previous)
    return chain.place, previous, chain.digest, entry["id"]


def _tell(chain: AuditChain, now: datetime) -> None:
    """Say in the log how far the chain is, so that what is kept of the log proves it later."""
    if chain.told_at is None or now - chain.told_at >= TOLD_EVERY:
        chain.told_at = now
        logger.info(
            "The audit is sealed up to here",
            extra={"action": "audit_sealed", "place": chain.place, "digest": chain.digest},
        )
