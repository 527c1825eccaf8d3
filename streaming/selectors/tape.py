"""Reading recorded topics."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from streaming.core import position, topics
from streaming.engines.base import Key, Slice
from streaming.engines.rows import cut
from streaming.engines.tape import BLANK, Taped
from streaming.models import Log, Record

SAMPLES = 5000


def names(session_id: UUID | str) -> list[str]:
    """The recorded topics of a session."""
    rows = Log.objects.filter(session_id=session_id, recorded=True)
    return list(rows.values_list("name", flat=True))


def recorded(session_id: UUID | str) -> list[str]:
    """The topics of which something is on tape, recorded still or not, by name."""
    rows = Log.objects.filter(
        Exists(Record.objects.filter(log=OuterRef("pk"))), session_id=session_id
    )
    found = rows.order_by("name").values_list("name", flat=True)
    return [name for name in found if not topics.is_row(name)]


def find(key: Key) -> Taped:
    """How far a topic is recorded."""
    row = Log.objects.filter(session_id=key[0], name=key[1]).first()
    return BLANK if row is None else proven(row)


def proven(row: Log) -> Taped:
    """
    How far a Log row is recorded, by its last record.

    The row says the same, unless a listing of the time before it was recorded came late.
    """
    if not row.recorded:
        return Taped("", 1, 0, b"", row.pk, row.fence)
    last = _records(row.pk, row.epoch).order_by("-seq").values_list("seq", "ck").first()
    head, ck = last or (0, position.genesis(row.name, row.epoch).hex())
    return Taped(row.epoch, row.start, head, bytes.fromhex(ck), row.pk, row.fence)


def records(taped: Taped, first: int, *, limit: int, max_bytes: int) -> Slice | None:
    """The records from ``first`` on, at least one if there is one and at most ``max_bytes``."""
    found = _records(taped.id, taped.epoch).filter(seq__gte=first, seq__lt=first + limit)
    rows: list[Any] = list(found.order_by("seq").values_list("seq", "ck", "ts", "body"))
    return cut(rows, max_bytes)


def ck(taped: Taped, seq: int) -> bytes | None:
    """The chain value at a record that is on the tape."""
    found = _records(taped.id, taped.epoch).filter(seq=seq).values_list("ck", flat=True).first()
    return bytes.fromhex(found) if found else None


def seq_at(taped: Taped, ts: int) -> int | None:
    """The first record on the tape at or after a time (unix ms)."""
    later = _records(taped.id, taped.epoch).filter(ts__gte=ts, seq__gte=taped.start)
    return later.order_by("seq").values_list("seq", flat=True).first()


def _records(log_id: int, epoch: str) -> QuerySet[Record]:
    return Record.objects.filter(log=log_id, epoch=epoch)


def newest_at(row: Log, ts: int) -> tuple[int, int, bytes] | None:
    """
    The last record of a tape at or before a time (unix ms): its seq, its own time and its data.

    Found by halving, because tapes have no index of times; each process writes them in order.
    """
    records = _records(row.pk, row.epoch)
    first, last = row.start, row.head
    while first <= last:
        middle = (first + last) // 2
        found = records.filter(seq=middle).values_list("ts", flat=True).first()
        if found is None or found <= ts:
            first = middle + 1
        else:
            last = middle - 1
    one = records.filter(seq=last).values_list("seq", "ts", "body").first()
    return None if one is None else (one[0], one[1], bytes(one[2]))


def span(session_id: UUID | str, names: Iterable[str]) -> tuple[int | None, int | None]:
    """When the first and the last record of tapes were (unix ms), each in its newest epoch."""
    found: list[int] = []
    for row in Log.objects.filter(session_id=session_id, name__in=list(names)):
        ends = _records(row.pk, row.epoch).filter(seq__in=(row.start, row.head))
        found += ends.values_list("ts", flat=True)
    return min(found, default=None), max(found, default=None)


def times(row: Log, *, most: int = SAMPLES) -> tuple[list[int], int]:
    """When at most so many records of a tape were (unix ms), and for how many each stands."""
    each = max(1, -(-(row.head - row.start + 1) // most))
    wanted = _records(row.pk, row.epoch).filter(seq__gte=row.start)
    if each > 1:
        wanted = wanted.filter(seq__in=range(row.start, row.head + 1, each))
    return list(wanted.order_by("seq").values_list("ts", flat=True)), each
