"""The lease of this server process."""

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from aegis_project import database
from streaming.models import Lease

RENEW_SECONDS = 5
LEASE_SECONDS = 15
FORGET_AFTER = timedelta(days=1)
# How the address of a process begins that serves nobody and runs beside those that do.
BESIDE = "beside:"


def take(*, url: str) -> Lease:
    """
    A new lease for a process that starts; rows of long gone processes are removed.

    One process serves on SQLite, so who held a lease there before is gone, and what was held is
    free at once; one that lives after all renews its own. A process whose ``url`` begins with
    :data:`BESIDE` is none of these.
    """
    now = timezone.now()
    with database.atomic():
        Lease.objects.filter(expires_at__lt=now - FORGET_AFTER).delete()
        if connection.vendor == "sqlite" and not url.startswith(BESIDE):
            served = Lease.objects.exclude(url__startswith=BESIDE)
            served.filter(expires_at__gt=now).update(expires_at=now)
        return Lease.objects.create(url=url, expires_at=now + timedelta(seconds=LEASE_SECONDS))


def renew(*, lease_id: UUID) -> bool:
    """Stay alive for another term; False when the row is gone."""
    until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    with database.atomic():
        return bool(Lease.objects.filter(pk=lease_id).update(expires_at=until))


def release(*, lease_id: UUID) -> None:
    """Say that the process ends, so that others need not wait for the term."""
    with database.atomic():
        Lease.objects.filter(pk=lease_id).update(expires_at=timezone.now())
