"""Writing to a session's ledger."""

import secrets
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone

from aegis_project import database, statements
from aegis_project.prepared import Prepared
from streaming import hints
from streaming.core import position
from streaming.models import Event, Log
from streaming.models.log import LEDGER
from streaming.signals import Published, published

# Above, one statement for all is worth what it costs to make.
FEW = 8


def begin(*, session_id: UUID, type: str, actor: str, **data: Any) -> Event:  # noqa: A002 -- see below
    """Make the ledger of a new session and its first event, in the transaction that makes it."""
    epoch = secrets.token_hex(8)
    ck = position.genesis(LEDGER, epoch).hex()
    log = statements.new(Log, session_id=session_id, name=LEDGER, epoch=epoch, ck=ck)
    event = _next(log, type, actor, "", data)
    statements.insert(log)
    event.log = log
    statements.insert_all([event])
    database.keep(_name(session_id), lambda: log)
    _tell(session_id, [event], [(actor, type, data)])
    return event


def append(
    *,
    session_id: UUID | str,
    type: str,  # noqa: A002 -- it is the event's own word
    actor: str,
    cause: str = "",
    **data: Any,
) -> Event:
    """
    Write one event under the lock of the ledger's head row, in the caller's transaction.

    ``seq`` is the number before plus one, so a rolled back transaction leaves no gap. Receivers
    and other processes hear of it after the commit.
    """
    return extend(session_id=session_id, actor=actor, cause=cause, told=[(type, data)])[0]


def extend(
    *, session_id: UUID | str, actor: str, told: Sequence[tuple[str, Any]], cause: str = ""
) -> list[Event]:
    """Write several events, each a type and its data, as :func:`append` does one."""
    return extend_by(session_id=session_id, told=[(actor, *one) for one in told], cause=cause)


def extend_by(
    *, session_id: UUID | str, told: Sequence[tuple[str, str, Any]], cause: str = ""
) -> list[Event]:
    """Write several events, each with an actor of its own: actor, type and data."""
    log = position_of(session_id)
    try:
        events = [_next(log, type_, actor, cause, data) for actor, type_, data in told]
        if len(events) > FEW:
            Event.objects.bulk_create(events)
        else:
            statements.insert_all(events)
        statements.update(log, "head", "ck")
    except BaseException:
        # Whoever goes on all the same goes on from what is written.
        database.forget(_name(session_id))
        raise
    _tell(session_id, events, told)
    return events


def _tell(
    session_id: UUID | str, events: Sequence[Event], told: Sequence[tuple[str, str, Any]]
) -> None:
    hints.send(hints.Hint("ledger", str(session_id)))
    rest = Counter(type_ for _, type_, _ in told)
    for event, (_, type_, data) in zip(events, told, strict=True):
        rest[type_] -= 1
        _announce(Published(str(session_id), event.seq, type_, data, rest[type_]))


def position_of(session_id: UUID | str) -> Log:
    """
    Where the ledger of a session stands; nobody moves it on until the transaction ends.

    Whatever was committed with an event up to there can be read from now on, and nothing that was
    or will be with a later one.
    """
    name = _name(session_id)
    return database.keep(name, lambda: _head(session_id=name[1])[0])


def shorten(*, session_id: UUID, start: int) -> int:
    """
    Let the events before this number go, in the caller's transaction; how many can be read less.

    The last one before ``start`` stays as the anchor of the chain, and the newest stays to be read.
    """
    log = position_of(session_id)
    before, log.start = log.start, min(max(log.start, start), log.head)
    if log.start > before:
        statements.update(log, "start")
        Event.objects.filter(log=log, seq__lt=log.start - 1).delete()
        hints.send(hints.Hint("ledger", str(session_id)))
    return log.start - before


def _name(session_id: UUID | str) -> tuple[str, UUID]:
    return LEDGER, UUID(str(session_id))


_head = Prepared(
    lambda session_id: Log.objects.ledger_of(session_id).select_for_update(no_key=True)
)


def _next(log: Log, type_: str, actor: str, cause: str, data: Any) -> Event:
    seq, ts = log.head + 1, timezone.now()
    body = _body(seq=seq, type=type_, ts=ts, actor=actor, cause=cause, data=data)
    log.head, log.ck = seq, position.chain(bytes.fromhex(log.ck), seq, body).hex()
    return statements.new(
        Event,
        log=log,
        seq=seq,
        ck=log.ck,
        ts=ts,
        type=type_,
        actor=actor,
        cause=cause,
        body=body.decode(),
    )


def _body(**fields: Any) -> bytes:
    return orjson.dumps(fields, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _announce(event: Published) -> None:
    transaction.on_commit(partial(published.send_robust, sender=None, event=event))


def chain_is_sound(log: Log) -> bool:
    """
    Whether the events of a ledger are gap-free and recompute to its chain value.

    One whose first events were let go begins at its anchor.
    """
    ck, seq = position.genesis(log.name, log.epoch), 0
    if log.start > 1:
        anchor = log.events.filter(seq=log.start - 1).first()
        if anchor is None:
            return False
        ck, seq = bytes.fromhex(anchor.ck), anchor.seq
    for event in log.events.filter(seq__gt=seq).order_by("seq").iterator():
        seq += 1
        ck = position.chain(ck, seq, event.body.encode())
        if event.seq != seq or event.ck != ck.hex():
            return False
    return seq == log.head and ck.hex() == log.ck
