"""Telling other processes what is seen here of topics, and reading what they tell."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from aegis_project import database
from streaming.models import Lease, Log, Report
from streaming.models.log import LEDGER
from streaming.services import leases

# A process that lives, and has told nothing for so long, is missing.
SILENT_AFTER = timedelta(seconds=10)
SLICE = 100


class Told(NamedTuple):
    """What one other process wrote of a session, and when."""

    process: str
    session_id: str
    written_at: datetime
    body: bytes


def is_alone(*, lease_id: UUID) -> bool:
    """Whether no other process of this installation lives; SQLite serves one only."""
    return connection.vendor == "sqlite" or not _others(lease_id, timezone.now()).exists()


def write(*, lease_id: UUID, bodies: Mapping[str, bytes], held: set[str]) -> None:
    """Write what changed, by session; reports of sessions that are not ``held`` any more go."""
    now = timezone.now()
    with database.atomic():
        Lease.objects.filter(pk=lease_id).update(reported_at=now)
        Report.objects.filter(lease_id=lease_id).exclude(session_id__in=held).delete()
    changed = sorted(bodies)
    for place in range(0, len(changed), SLICE):
        with database.atomic():
            _write(lease_id, {key: bodies[key] for key in changed[place : place + SLICE]}, now)


def _write(lease_id: UUID, bodies: Mapping[str, bytes], now: datetime) -> None:
    # A session may have been removed meanwhile; each one that is there has a ledger.
    there = Log.objects.filter(name=LEDGER, session_id__in=list(bodies))
    Report.objects.bulk_create(
        [
            Report(lease_id=lease_id, session_id=key, body=bodies[str(key)], written_at=now)
            for key in there.values_list("session_id", flat=True)
        ],
        update_conflicts=True,
        unique_fields=["lease", "session"],
        update_fields=["body", "written_at"],
    )


def read(*, lease_id: UUID) -> tuple[list[Told], int]:
    """What the other living processes wrote, and how many of them are silent."""
    now = timezone.now()
    others = list(_others(lease_id, now))
    rows = Report.objects.filter(lease__in=others)
    told = [
        Told(str(row.lease_id), str(row.session_id), row.written_at, bytes(row.body))
        for row in rows
    ]
    return told, sum(_is_silent(lease, now) for lease in others)


def _is_silent(lease: Lease, now: datetime) -> bool:
    return (lease.reported_at or lease.started_at) < now - SILENT_AFTER


def _others(lease_id: UUID, now: datetime) -> "QuerySet[Lease]":
    serving = Lease.objects.exclude(url__startswith=leases.BESIDE)
    return serving.filter(expires_at__gt=now).exclude(pk=lease_id)
