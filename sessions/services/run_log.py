"""Writing to the logs of runs (``runs.<id>``), from which every stream of them is made."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from aegis_project import database, statements
from aegis_project.prepared import Prepared
from sessions.core import run_log
from sessions.core.run_log import Entry
from sessions.core.runs import State
from sessions.models import Run
from streaming import hints
from streaming.core import position
from streaming.models import Log, Record
from streaming.services import records

LAST = (run_log.End, run_log.Error)


class Superseded(Exception):
    """The run is not the worker's any more: ended, let go, or claimed by another."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker has to write for one run, under the fence of its claim."""

    run_id: UUID
    fence: int
    entries: Sequence[Entry]


def open_log(run: Run) -> Log:
    """Make the log of a new run, in the transaction that makes the run."""
    name, epoch = run_log.name_of(run.pk), secrets.token_hex(8)
    ck = position.genesis(name, epoch).hex()
    log = statements.new(Log, session_id=run.session_id, name=name, epoch=epoch, ck=ck)
    statements.insert(log)
    return log


def write(run_id: UUID, *, fence: int, entries: Sequence[Entry]) -> int:
    """
    Write what a working run says; the ``seq`` of the last entry.

    :raises Superseded: if the run is not working under this fence
    """
    written = write_all([Batch(run_id, fence, entries)])
    if run_id not in written:
        raise Superseded(str(run_id))
    return written[run_id]


def write_all(batches: Sequence[Batch]) -> dict[UUID, int]:
    """Write for several runs in one transaction; the last ``seq`` of each that may still write."""
    with database.atomic():
        runs = {row.pk: row for row in _locked(ids=tuple(sorted(one.run_id for one in batches)))}
        return {
            one.run_id: append(runs[one.run_id], one.entries)
            for one in batches
            if one.run_id in runs and is_held(runs[one.run_id], one.fence)
        }


def held(run_id: UUID, *, fence: int) -> Run:
    """
    The run, locked until the transaction ends, as long as it works under this fence.

    :raises Superseded: if it does not
    """
    for run in _locked(ids=(run_id,)):
        if is_held(run, fence):
            return run
    raise Superseded(str(run_id))


def is_held(run: Run, fence: int) -> bool:
    """Whether the claim of this fence still works on the run."""
    return run.fence == fence and run.state == State.WORKING


def append(run: Run, entries: Sequence[Entry]) -> int:
    """
    Write entries in the caller's transaction, which has locked the run; the last ``seq``.

    Readers here and in other processes hear of it after the commit.
    """
    (log,) = _head(session_id=run.session_id, name=run_log.name_of(run.pk))
    records.insert(_rows(log, entries))
    if any(isinstance(entry, LAST) for entry in entries):
        log.ended_at = timezone.now()
    statements.update(log, "head", "ck", "ended_at")
    hints.send(hints.Hint("ledger", str(run.session_id)))
    return log.head


def head(run: Run) -> int:
    """The number of the last entry; the run is locked, so that it stays the last."""
    (log,) = _head(session_id=run.session_id, name=run_log.name_of(run.pk))
    return log.head


def unsettled_text(run: Run) -> str:
    """What the run has said since it last came to a safe point."""
    rows = Record.objects.filter(
        log__session=run.session_id, log__name=run_log.name_of(run.pk), seq__gt=run.safe_seq
    )
    bodies = rows.order_by("seq").values_list("body", flat=True)
    return run_log.text_of(run_log.decode(bytes(body)) for body in bodies)


def usage(run: Run) -> run_log.Usage:
    """What the run has used so far, as its log says it."""
    spent: Mapping[str, Mapping[str, int]] = run.usage
    return run_log.Usage(
        input_tokens=sum(one["input_tokens"] for one in spent.values()),
        output_tokens=sum(one["output_tokens"] for one in spent.values()),
        requests=sum(one["requests"] for one in spent.values()),
        cost=f"{Decimal(run.cost).normalize():f}",
    )


_locked = Prepared(
    lambda ids: (
        Run.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True)
    )
)
_head = Prepared(
    lambda session_id, name: Log.objects.filter(session_id=session_id, name=name).select_for_update(
        of=("self",), no_key=True
    )
)


def _rows(log: Log, entries: Sequence[Entry]) -> list[records.Row]:
    ts, rows = time.time_ns() // 1_000_000, []
    ck = bytes.fromhex(log.ck)
    for entry in entries:
        body = run_log.encode(entry)
        log.head += 1
        ck = position.chain(ck, log.head, body)
        rows.append((log.pk, log.epoch, log.head, ck.hex(), ts, body))
    log.ck = ck.hex()
    return rows
