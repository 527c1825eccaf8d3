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

from aegis_project import statements
from aegis_project.prepared import Prepared
from streaming import hints
from streaming.core import position
from streaming.models import Event, Log
from streaming.models.log import LEDGER
from streaming.signals import Published, published

# Above, one statement for all is worth what it costs to make.
FEW = 8


def open_ledger(*, session_id: UUID) -> Log:
    """Make the ledger of a new session, in the transaction that makes the session."""
    epoch = secrets.token_hex(8)
    ck = position.genesis(LEDGER, epoch).hex()
    log = Log(session_id=session_id, name=LEDGER, epoch=epoch, ck=ck)
    statements.insert(log)
    return log


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
    (log,) = _head(session_id=UUID(str(session_id)))
    events = [_next(log, type_, actor, cause, data) for actor, type_, data in told]
    if len(events) > FEW:
        Event.objects.bulk_create(events)
    else:
        statements.insert_all(events)
    statements.update(log, "head", "ck")
    hints.send(hints.Hint("ledger", str(session_id)))
    rest = Counter(type_ for _, type_, _ in told)
    for event, (_, type_, data) in zip(events, told, strict=True):
        rest[type_] -= 1
        _announce(Published(str(session_id), event.seq, type_, data, rest[type_]))
    return events


_head = Prepared(
    lambda session_id: Log.objects.ledger_of(session_id).select_for_update(no_key=True)
)


def _next(log: Log, type_: str, actor: str, cause: str, data: Any) -> Event:
    seq, ts = log.head + 1, timezone.now()
    body = _body(seq=seq, type=type_, ts=ts, actor=actor, cause=cause, data=data)
    log.head, log.ck = seq, position.chain(bytes.fromhex(log.ck), seq, body).hex()
    return Event(
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
    """Whether the events of a ledger are gap-free and recompute to its chain value."""
    ck, seq = position.genesis(log.name, log.epoch), 0
    for event in log.events.order_by("seq").iterator():
        seq += 1
        ck = position.chain(ck, seq, event.body.encode())
        if event.seq != seq or event.ck != ck.hex():
            return False
    return seq == log.head and ck.hex() == log.ck
