"""Writing the logs of a capsule: its ledger, what its runs said, and its tape."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from uuid import UUID

import msgspec

from aegis_project.kit import strict
from aegis_project.kit.errors import ValidationFailed
from sessions.core import capsule, run_log
from sessions.core.run_log import PREFIX
from sessions.models import Session
from sessions.selectors.capsules import EVENT, LOG, Row
from sessions.services import capsule_values as values
from streaming.core import position, topics
from streaming.models import Event, Log, Record
from streaming.models.log import LEDGER
from streaming.services import records

SLICE = 300
HEX = re.compile(r"[0-9a-f]{16}\Z")


class Names(Protocol):
    """A capsule, and under which ids its rows are written."""

    def members(self, table: str) -> Iterator[Row]: ...

    def id(self, value: Any) -> UUID: ...


def write(found: Names, session: Session) -> None:
    """
    Write the logs of a capsule, each proven by its chain.

    :raises ValidationFailed: for one that is broken, or that nobody could read
    """
    made: dict[str, Log] = {}
    for row in found.members("logs"):
        if row.keys() != set(LOG):
            raise ValidationFailed("A row of logs has other members than such a row has.")
        said = {name: values.judged(Log._meta.get_field(name), row[name]) for name in LOG}
        if row["name"] in made:
            raise ValidationFailed("The capsule has a log twice.")
        _check_name(row["name"])
        _check_hex(row["epoch"], row["ck"])
        made[row["name"]] = Log(session=session, **said)
    if LEDGER not in made:
        raise ValidationFailed("The capsule has no ledger.")
    _write_ledger(found, made[LEDGER])
    bodies = _by_log(found, made)
    for name, log in made.items():
        if name != LEDGER:
            _write_log(found, log, bodies.get(name, []))


def _write_ledger(found: Names, log: Log) -> None:
    log.save()
    ck, seq, held = position.genesis(LEDGER, log.epoch), 0, list[Event]()
    is_anchored = log.start == 1
    for row in found.members("events"):
        if row.keys() != set(EVENT):
            raise ValidationFailed("A row of events has other members than such a row has.")
        capsule.check_event(row)
        one = Event(log=log, **{n: values.judged(Event._meta.get_field(n), row[n]) for n in EVENT})
        if is_anchored:
            seq, ck = seq + 1, position.chain(ck, seq + 1, one.body.encode())
        else:
            # What was before was let go; the anchor stands for it.
            _check_hex(one.ck)
            is_anchored, seq, ck = True, log.start - 1, bytes.fromhex(one.ck)
        if (one.seq, one.ck) != (seq, ck.hex()):
            raise ValidationFailed("The chain of the ledger is broken.", seq=seq)
        held.append(one)
    if (log.head, log.ck) != (seq, ck.hex()) or not 1 <= log.start <= log.head:
        raise ValidationFailed("The ledger does not end where it says.")
    Event.objects.bulk_create(held, batch_size=SLICE)


Bodies = list[tuple[str, int, str, int, bytes]]


def _by_log(found: Names, made: Mapping[str, Log]) -> dict[str, Bodies]:
    held: dict[str, Bodies] = {}
    for row in found.members("records"):
        if row.keys() != {"log", "epoch", "seq", "ck", "ts", "body"} or row["log"] not in made:
            raise ValidationFailed("A row of records is none.")
        get = Record._meta.get_field
        epoch, seq, ck, ts = (values.judged(get(n), row[n]) for n in ("epoch", "seq", "ck", "ts"))
        try:
            body = base64.b64decode(row["body"], validate=True)
        except (TypeError, ValueError):
            raise ValidationFailed("The body of a record is not base64.") from None
        _check_hex(epoch, ck)
        _check_body(row["log"], body)
        held.setdefault(row["log"], []).append((epoch, seq, ck, ts, body))
    return held


def _write_log(found: Names, log: Log, bodies: Bodies) -> None:
    _prove(log.name, bodies)
    if log.name.startswith(PREFIX):
        bodies = _of_run(found, log, bodies)
    log.save()
    records.insert([(log.pk, *one) for one in bodies])


def _prove(name: str, bodies: Bodies) -> None:
    """Each record follows from the one before, the first of an epoch from its name, if it is there."""
    before: tuple[str, int, str] = ("", 0, "")
    for epoch, seq, ck, _, body in bodies:
        last, at = (before[1], before[2]) if before[0] == epoch else (0, "")
        chain = at or position.genesis(name, epoch).hex()
        is_next = seq == last + 1
        if seq <= last or (is_next and position.chain(bytes.fromhex(chain), seq, body).hex() != ck):
            raise ValidationFailed("The chain of a log is broken.", seq=seq)
        before = (epoch, seq, ck)


def _of_run(found: Names, log: Log, bodies: Bodies) -> Bodies:
    """The log of a run under the id that the run gets here; its chain begins with its name."""
    name = f"{PREFIX}{found.id(log.name.removeprefix(PREFIX))}"
    if name == log.name:
        return bodies
    log.name, ck, moved = name, position.genesis(name, log.epoch), Bodies()
    for epoch, seq, _, ts, body in bodies:
        ck = position.chain(ck, seq, body)
        moved.append((epoch, seq, ck.hex(), ts, body))
    log.ck = ck.hex()
    return moved


def _check_name(name: str) -> None:
    if not (name == LEDGER or name.startswith(PREFIX) or topics.NAME.match(name)):
        raise ValidationFailed("A log has a name that none can have.")


def _check_hex(*words: str) -> None:
    if not all(HEX.match(word) for word in words):
        raise ValidationFailed("A position of the capsule is none.")


def _check_body(log: str, body: bytes) -> None:
    """What readers are given as it stands has to be what they can read."""
    try:
        if log.startswith(PREFIX):
            run_log.decode(body)
        elif body:
            strict.decode(body, max_bytes=capsule.MAX_LINE)
    except msgspec.DecodeError:
        raise ValidationFailed("What a run said cannot be read.") from None
