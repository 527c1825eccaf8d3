"""How long a tape is kept: counting what came, moving its start, removing what lies before."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Length
from django.utils import timezone

from aegis_project import database
from streaming.core.position import MAX_SEQ
from streaming.core.rules import TapeKeep
from streaming.engines.base import Key
from streaming.engines.tape import Taped
from streaming.models import Log, Record, Segment
from streaming.selectors import tape

COUNTED = 5000
"""How many records are counted at once."""
REMOVED = 2000
"""How many are removed at once."""
SPAN = timedelta(minutes=10)
"""What comes within this time is kept and let go together."""


def due(*, lease_id: UUID) -> list[tuple[int, Key]]:
    """The tapes that this process looks after: its own, and those of processes that are gone."""
    segments = Segment.objects.filter(log=OuterRef("pk"))
    free = Q(writer=None) | Q(writer=lease_id) | Q(writer__expires_at__lt=timezone.now())
    rows = Log.objects.filter(free).filter(Q(recorded=True) | Exists(segments))
    found = rows.values_list("pk", "session_id", "name")
    return [(log_id, (str(session_id), name)) for log_id, session_id, name in found]


def count(*, log_id: int, now: datetime) -> bool:
    """Count some of what came to a tape since it was counted; whether there may be more."""
    with database.atomic():
        row = Log.objects.get(pk=log_id)
        if not row.recorded:
            return False
        before = _segments(row, row.epoch).order_by("-last").first()
        begin = before.last if before else row.start - 1
        last = min(row.head, begin + COUNTED)
        is_slice = last == begin + COUNTED
        if last <= begin or (not is_slice and before and now - before.seen_at < SPAN):
            return False
        _note(row, begin, last, now)
        return is_slice


def expire(*, log_id: int, keep: TapeKeep, now: datetime) -> Taped:
    """
    Move the start of a tape beyond what it need not keep, and say where it is.

    Only a prefix goes, and never the last record: the anchor before ``start`` stays.
    """
    with database.atomic():
        row = Log.objects.select_for_update(of=("self",), no_key=True).get(pk=log_id)
        if keep.seconds:
            old = Segment.objects.filter(log=row, seen_at__lt=now - timedelta(seconds=keep.seconds))
            old.exclude(epoch=row.epoch if row.recorded else "").delete()
        if row.recorded:
            last = _expired(row, keep, now)
            _segments(row, row.epoch).filter(last__lt=last).delete()
            row.start = max(row.start, last + 1)
            row.save(update_fields=["start"])
        return tape.proven(row)


def remove(*, log_id: int) -> bool:
    """Remove some of the records that a tape need not keep; whether there may be more."""
    row = Log.objects.get(pk=log_id)
    for epoch, bound in _leftovers(row):
        records = Record.objects.filter(log=row, epoch=epoch, seq__lt=bound)
        first = records.order_by("seq").values_list("seq", flat=True).first()
        if first is not None:
            with database.atomic():
                records.filter(seq__lt=first + REMOVED).delete()
            return True
    return False


def close(row: Log) -> None:
    """Count the end of a tape that gets nothing more, in the caller's transaction."""
    if row.recorded and row.head:
        before = _segments(row, row.epoch).order_by("-last").first()
        if before is None or before.last < row.head:
            Segment.objects.create(
                log=row, epoch=row.epoch, last=row.head, bytes=0, seen_at=timezone.now()
            )


def _note(row: Log, begin: int, last: int, now: datetime) -> None:
    records = Record.objects.filter(log=row, epoch=row.epoch, seq__gt=begin, seq__lte=last)
    size = records.aggregate(size=Sum(Length("body")))["size"] or 0
    known = {"bytes": size, "seen_at": now}
    Segment.objects.get_or_create(log=row, epoch=row.epoch, last=last, defaults=known)


def _expired(row: Log, keep: TapeKeep, now: datetime) -> int:
    segments = _segments(row, row.epoch).order_by("-last")
    last, left = row.start - 1, keep.bytes
    for end, size, seen_at in segments.values_list("last", "bytes", "seen_at"):
        left -= size
        is_old = bool(keep.seconds) and seen_at < now - timedelta(seconds=keep.seconds)
        if is_old or (keep.bytes and left < 0):
            return max(last, end)
    return last


def _leftovers(row: Log) -> Iterable[tuple[str, int]]:
    # Epochs with records, and the first seq that is kept of each.
    records = Record.objects.filter(log=row).order_by("epoch")
    epoch = records.values_list("epoch", flat=True).first()
    while epoch is not None:
        if row.recorded and epoch == row.epoch:
            yield epoch, row.start - 1
        elif not _segments(row, epoch).exists():
            yield epoch, MAX_SEQ
        epoch = records.filter(epoch__gt=epoch).values_list("epoch", flat=True).first()


def _segments(row: Log, epoch: str) -> QuerySet[Segment]:
    return Segment.objects.filter(log=row, epoch=epoch)
