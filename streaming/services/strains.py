"""Writing down what a process counted of what went badly."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from aegis_project import database
from aegis_project.kit import strains
from streaming.hub.losses import Loss
from streaming.models import Log, Strain
from streaming.models.log import LEDGER

KEPT = timedelta(hours=1)


def write(
    *, statements: Mapping[str, strains.Strain], losses: Mapping[Loss, strains.Strain]
) -> None:
    """Write what was counted since the last time; what sessions lost that were removed is gone."""
    now = timezone.now()
    with database.atomic():
        there = _there({loss.session_id for loss in losses if loss.session_id})
        rows = [
            Strain(
                kind=Strain.Kind.STATEMENT, subject=one, count=n.count, worst=n.worst, seen_at=now
            )
            for one, n in statements.items()
        ]
        rows += [
            Strain(
                kind=Strain.Kind.LOSS,
                subject=loss.topic,
                session_id=loss.session_id or None,
                who=loss.component_id,
                count=n.count,
                seen_at=now,
            )
            for loss, n in losses.items()
            if not loss.session_id or loss.session_id in there
        ]
        Strain.objects.bulk_create(rows)


def _there(session_ids: set[str]) -> set[str]:
    # Each session that is there has a ledger.
    rows = Log.objects.filter(name=LEDGER, session_id__in=[UUID(one) for one in session_ids])
    return set(map(str, rows.values_list("session_id", flat=True)))


def forget() -> None:
    """Remove what was counted longer ago than anybody asks for."""
    with database.atomic():
        Strain.objects.filter(seen_at__lt=timezone.now() - KEPT).delete()
