"""Reading the leases of processes."""

from datetime import datetime
from uuid import UUID

from streaming.models import Lease


def started_at(lease_id: UUID | None) -> datetime | None:
    """Since when a process serves; None without a lease, or when that is gone."""
    rows = Lease.objects.filter(pk=lease_id) if lease_id else Lease.objects.none()
    return rows.values_list("started_at", flat=True).first()
