"""Reading the leases of processes."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from streaming.models import Lease


def is_good(lease_id: UUID | None) -> bool:
    """Whether a process is known to live: its lease is there and has not run out."""
    now = timezone.now()
    return lease_id is not None and Lease.objects.filter(pk=lease_id, expires_at__gt=now).exists()


def started_at(lease_id: UUID | None) -> datetime | None:
    """Since when a process serves; None without a lease, or when that is gone."""
    rows = Lease.objects.filter(pk=lease_id) if lease_id else Lease.objects.none()
    return rows.values_list("started_at", flat=True).first()
