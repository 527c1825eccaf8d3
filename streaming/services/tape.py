"""Writing recorded topics: who may, in which groups, and for how long it is kept."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from msgspec.structs import replace

from aegis_project import database
from aegis_project.kit.errors import ServiceUnavailable
from streaming.core import position
from streaming.engines.base import Key
from streaming.engines.tape import BLANK, Group, Taped
from streaming.models import Lease, Log, Record
from streaming.selectors import tape
from streaming.services import records, tape_retention


def claim(*, key: Key, lease_id: UUID, begin: Taped) -> Taped | None:
    """
    Take a topic's tape for the process of this lease, beginning it if need be; how far it is.

    None when somebody wrote since ``begin.fence`` was read.

    :raises ServiceUnavailable: while another process that lives holds it
    """
    with database.atomic():
        row = _row(key, begin)
        if row.fence != begin.fence:
            return None
        if _is_held(row, lease_id):
            raise ServiceUnavailable("The topic is recorded by another process.", topic=key[1])
        if not row.recorded or row.epoch != begin.epoch:
            tape_retention.close(row)
            _begin(row, begin)
        row.fence += 1
        row.writer_id = lease_id
        row.save()
        return tape.proven(row)


def write(*, groups: Sequence[Group], lease_id: UUID) -> list[Taped]:
    """
    Write each group that follows on its tape and is not too old; how far each topic is then.

    The heads move in the same transaction, under their locks, which are taken in one order.
    """
    with database.atomic():
        rows = {row.pk: row for row in _locked(group.before.id for group in groups)}
        good = {
            group.before.id: group
            for group in groups
            if _follows(rows.get(group.before.id), group.before)
        }
        records.insert([one for group in good.values() for one in _records(group)])
        for log_id, group in good.items():
            row, after = rows[log_id], group.after
            row.head, row.ck, row.writer_id = after.head, after.ck.hex(), lease_id
        Log.objects.bulk_update([rows[log_id] for log_id in good], ["head", "ck", "writer"])
        ends = {
            log_id: replace(group.after, start=rows[log_id].start) for log_id, group in good.items()
        }
        return [
            ends.get(group.before.id) or _end(rows.get(group.before.id), group.before)
            for group in groups
        ]


def release(*, taped: Taped, is_recorded: bool) -> None:
    """Let another process take a tape at once, and say whether the topic is still recorded."""
    with database.atomic():
        for row in _locked([taped.id]).filter(fence=taped.fence):
            if not is_recorded:
                tape_retention.close(row)
            row.writer, row.recorded = None, is_recorded
            row.save(update_fields=["writer", "recorded"])


def _row(key: Key, begin: Taped) -> Log:
    made = {"epoch": begin.epoch, "start": begin.start, "head": begin.head, "ck": begin.ck.hex()}
    rows = Log.objects.select_for_update(of=("self",), no_key=True)
    row, _ = rows.get_or_create(session_id=key[0], name=key[1], defaults=made)
    return row


def _is_held(row: Log, lease_id: UUID) -> bool:
    if row.writer_id in {None, lease_id}:
        return False
    return Lease.objects.filter(pk=row.writer_id, expires_at__gt=timezone.now()).exists()


def _begin(row: Log, begin: Taped) -> None:
    row.recorded = True
    row.epoch, row.start, row.head, row.ck = begin.epoch, begin.start, begin.head, begin.ck.hex()
    # Recorded before, by rules that were changed twice: the log still has them, and writes them.
    Record.objects.filter(log=row, epoch=begin.epoch, seq__gt=begin.head).delete()
    if begin.ck != position.genesis(row.name, begin.epoch):
        # The anchor: what a cursor at the edge is proven by.
        Record.objects.get_or_create(
            log=row,
            epoch=begin.epoch,
            seq=begin.head,
            defaults={"ck": row.ck, "ts": 0, "body": b""},
        )


def _locked(log_ids: Iterable[int]) -> QuerySet[Log]:
    rows = Log.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(pk__in=list(log_ids)).order_by("pk")


def _follows(row: Log | None, before: Taped) -> bool:
    if row is None:
        return False
    return (row.fence, row.epoch, row.head) == (before.fence, before.epoch, before.head)


def _records(group: Group) -> Iterable[records.Row]:
    before = group.before
    parts = zip(group.ts, group.data, group.cks, strict=True)
    for seq, (ts, data, ck) in enumerate(parts, before.head + 1):
        yield before.id, before.epoch, seq, ck.hex(), ts, data


def _end(row: Log | None, before: Taped) -> Taped:
    if row is None:
        return BLANK
    found = tape.proven(row)
    if found.fence == before.fence and found.epoch:
        # A listing of the time before it was recorded came late; the records know better.
        row.head, row.ck = found.head, found.ck.hex()
        row.save(update_fields=["head", "ck"])
    return found
