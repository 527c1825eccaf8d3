"""Reading checkpoints: which there are, what one holds, and what differs between two."""

import functools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Count, Exists, F, Q, QuerySet
from django.db.models.expressions import Combinable

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components.models import Component
from sessions.core import checkpoints, keys
from sessions.core.checkpoints import Change
from sessions.core.errors import CheckpointNotFound
from sessions.core.run_log import PREFIX
from sessions.models import Checkpoint, Run, Session, Snapshot
from sessions.selectors import sessions
from streaming.models import Event, Log
from streaming.models.log import LEDGER
from streaming.selectors import logs

LATEST = "latest"
# What no name that begins with the prefix is beyond.
BEHIND = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)
RUN_FIELDS = ("run", "agent", "state", "place", "waiting_for")
FIELDS = ("name", "role", "required", "topics", "program")


def readable(principal: Principal, session: Session | UUID | str) -> QuerySet[Checkpoint]:
    """
    The checkpoints of a session, the newest first.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if it is not there for the principal
    """
    principal.require("sessions:read")
    return _of(sessions.find(principal, session).pk)


def find(principal: Principal, session: Session | UUID | str, reference: str) -> Checkpoint:
    """
    One checkpoint by id or label, or ``latest``.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if the session is not there for the principal
    :raises CheckpointNotFound: if it has none such
    """
    principal.require("sessions:read")
    return of(sessions.find(principal, session).pk, reference)


def of(session_id: UUID, reference: str) -> Checkpoint:
    """
    The same for who may see the session; of several with one label the newest.

    :raises CheckpointNotFound: if it has none such
    """
    uuid = keys.as_uuid(reference)
    named = Q() if reference == LATEST else Q(pk=uuid) if uuid else Q(label=reference)
    is_none = not reference or "\x00" in reference
    found = None if is_none else _of(session_id).filter(named).first()
    if found is None:
        raise CheckpointNotFound(checkpoint=reference.replace("\x00", "")[:200])
    return found


def _of(session_id: UUID) -> QuerySet[Checkpoint]:
    return Checkpoint.objects.of_session(session_id).select_related("snapshot")


@dataclass(frozen=True, slots=True)
class Held:
    """What a checkpoint, or a session now, holds."""

    memory: dict[str, Any]
    participants: list[dict[str, Any]]
    positions: Mapping[str, Any]
    runs: list[dict[str, Any]]
    seq: int


def held(row: Checkpoint) -> Held:
    """What a checkpoint holds."""
    body = msgspec.json.decode(row.snapshot.body)
    return Held(body["memory"], body["participants"], row.positions, row.runs, row.seq)


class _Who(msgspec.Struct):
    name: str


class _Body(msgspec.Struct):
    participants: list[_Who]


def names(rows: Iterable[Checkpoint]) -> dict[UUID, list[str]]:
    """Who took part at checkpoints, by the ids of their snapshots; of memories nothing is read."""
    ids = {row.snapshot_id for row in rows}
    bodies = Snapshot.objects.filter(pk__in=ids).values_list("pk", "body") if ids else []
    return {
        pk: [one.name for one in msgspec.json.decode(body, type=_Body).participants]
        for pk, body in bodies
    }


def participants(session_id: UUID) -> list[dict[str, Any]]:
    """Who takes part in a session, as declared: name, role, required, topics, program; by name."""
    return [dict(zip(FIELDS, one, strict=True)) for one in _participants(session_id=session_id)]


@Prepared
def _participants(session_id: UUID) -> QuerySet[Component, tuple[Any, ...]]:
    rows = Component.objects.filter(session=session_id).order_by("name")
    declared = rows.annotate(program_name=F("program__name"))
    return declared.values_list("name", "role", "required", "topics", "program_name")


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What is otherwise in the later of two: memory, participants and positions, by name.

    ``happened`` counts the events between them by type.
    """

    before: Held
    after: Held
    memory: list[Change]
    participants: list[Change]
    positions: list[Change]
    happened: dict[str, int]


def between(
    principal: Principal, session: Session | UUID | str, before: str, after: str
) -> Difference:
    """
    What lies between two checkpoints, or between one and the session as it is now (``after`` "").

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if the session is not there for the principal
    :raises CheckpointNotFound: if it has none such
    """
    first = held(find(principal, session, before))
    row = sessions.find(principal, session)
    return difference(row.pk, first, held(of(row.pk, after)) if after else now(row))


def now(row: Session) -> Held:
    """What a session holds as it is, each part as it is found."""
    return Held(
        memory=row.memory,
        participants=participants(row.pk),
        positions=positions(row.pk),
        runs=open_runs(row.pk),
        seq=logs.ledger_head(row.pk),
    )


def positions(session_id: UUID) -> dict[str, dict[str, Any]]:
    """How far each topic of a session is: epoch, seq and ck, by name."""
    rows = [row for part in range(len(_parts())) for row in _positions(part)(pk=session_id)]
    return {name: {"epoch": e, "seq": head, "ck": ck} for name, e, head, ck in rows}


def has_topics(session_id: UUID) -> Combinable:
    """Whether a session has logs that are topics, as an expression of a query."""
    found = (Exists(_topics(session_id, part)) for part in _parts())
    return functools.reduce(operator.or_, found)


@functools.cache
def _positions(part: int) -> Prepared[tuple[str, str, int, str]]:
    def ask(pk: UUID) -> QuerySet[Log, tuple[str, str, int, str]]:
        rows = _topics(pk, _parts()[part]).order_by("name")
        return rows.values_list("name", "epoch", "head", "ck")

    return Prepared(ask)


def _topics(session_id: UUID, part: Q) -> QuerySet[Log]:
    return Log.objects.filter(part, session=session_id).exclude(name=LEDGER)


def _parts() -> list[Q]:
    """The names that are not of runs, of which a session has thousands."""
    if connection.vendor == "sqlite":
        # It compares bytes, and an index goes past those between.
        return [Q(name__lt=PREFIX), Q(name__gte=BEHIND)]
    return [~Q(name__startswith=PREFIX)]


def open_runs(session_id: UUID) -> list[dict[str, Any]]:
    """The runs of a session that are not over: run, agent, state, place, waiting_for."""
    return [
        {**dict(zip(RUN_FIELDS, one, strict=True)), "run": str(one[0])}
        for one in _runs(pk=session_id)
    ]


@Prepared
def _runs(pk: UUID) -> QuerySet[Run, tuple[UUID, str, str, int, str]]:
    rows = Run.objects.open().filter(session=pk).order_by("place")
    return rows.values_list("pk", "agent_slug", "state", "place", "waiting_for")


def difference(session_id: UUID, before: Held, after: Held) -> Difference:
    """What lies between two checkpoints of a session, from the one to the other."""
    return Difference(
        before=before,
        after=after,
        memory=checkpoints.changes(before.memory, after.memory),
        participants=checkpoints.changes(_named(before), _named(after)),
        positions=checkpoints.changes(before.positions, after.positions),
        happened=_happened(session_id, *sorted((before.seq, after.seq))),
    )


def _named(one: Held) -> dict[str, Any]:
    return {part["name"]: part for part in one.participants}


def _happened(session_id: UUID, after: int, up_to: int) -> dict[str, int]:
    rows = Event.objects.filter(
        log__session=session_id, log__name=LEDGER, seq__gt=after, seq__lte=up_to
    )
    counted = rows.values_list("type").annotate(count=Count("pk")).order_by("type")
    return dict(counted)
