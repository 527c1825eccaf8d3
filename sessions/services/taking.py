"""Taking checkpoints by itself, in the transaction of what a session may have to come back to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.db.models import Exists, QuerySet, Subquery, UUIDField

from aegis_project import database, statements
from aegis_project.prepared import Prepared
from components.models import Component
from sessions.core import checkpoints
from sessions.core.checkpoints import Cause, Moment, Rules
from sessions.core.lifecycle import Mode
from sessions.models import Checkpoint, Message, Replay, Run, Session, Snapshot
from sessions.selectors import checkpoints as selecting
from streaming.models import Log
from streaming.services import ledger

ACTOR = "system:checkpoints"


def note(session_id: UUID, moment: Moment, *, run: int = 0) -> None:
    """
    Let this session have a checkpoint of where the open transaction leaves it.

    It is taken just before the commit, at the position of the last event, and told by none of its
    own: what it is of is in the ledger already. ``run`` is the place of the run that starts.
    """
    database.before_commit(_take_all, f"{session_id} {moment.value} {run}")


def _take_all(noted: Sequence[str]) -> None:
    # Of several in one transaction the last says what it is about.
    for session_id, said in dict(one.split(maxsplit=1) for one in noted).items():
        moment, run = said.split()
        _take(UUID(session_id), Moment(moment), int(run))


def _take(session_id: UUID, moment: Moment, run: int) -> None:
    cause = Cause.AUTOMATIC.value
    row = statements.new(Checkpoint, cause=cause, moment=moment.value, author=ACTOR)
    found = _read(session_id)
    if found is None or not found.rules.is_automatic:
        return
    _keep(row, found)
    if checkpoints.is_trimmed_at(moment, run, found.rules):
        trim(session_id, keep=found.rules.keep)


@dataclass(frozen=True, slots=True)
class Situation:
    """
    A session as it is at one position of its ledger, which is locked.

    ``snapshot`` and ``digest`` are of its newest checkpoint, None if it has none; the ``has_``
    say what there is anything of, so that nobody asks for what is not there.
    """

    log: Log
    session_id: UUID
    state: str
    mode: str
    activation: int
    config: dict[str, Any]
    memory: dict[str, Any]
    message_count: int
    message: UUID | None
    last_run: int | None
    snapshot: UUID | None
    digest: str | None
    has_participants: bool
    has_positions: bool
    has_runs: bool

    @property
    def rules(self) -> Rules:
        return checkpoints.rules_kept(self.config)

    def described(self) -> dict[str, Any]:
        """The fields of a checkpoint that say what it is of."""
        return {
            "session_id": self.session_id,
            "epoch": self.log.epoch,
            "seq": self.log.head,
            "ck": self.log.ck,
            "state": self.state,
            "activation": self.activation,
            "positions": selecting.positions(self.session_id) if self.has_positions else {},
            "runs": selecting.open_runs(self.session_id) if self.has_runs else [],
            "clock": _clock(self.session_id) if self.mode == Mode.HISTORICAL else None,
            "message": self.message,
            "message_count": self.message_count,
            "last_run": self.last_run or 0,
        }

    def body(self) -> str:
        """What a snapshot of it holds."""
        found = selecting.participants(self.session_id) if self.has_participants else []
        return checkpoints.written({"memory": self.memory, "participants": found})


def fill(row: Checkpoint, session_id: UUID) -> Checkpoint:
    """Write a checkpoint of where a session stands now, in the transaction that has it locked."""
    found = _read(session_id)
    assert found is not None  # noqa: S101 -- the caller has it locked
    return _keep(row, found)


def _keep(row: Checkpoint, found: Situation) -> Checkpoint:
    for name, value in found.described().items():
        setattr(row, name, value)
    row.snapshot_id, added = _snapshot(found)
    pointers = (row.positions, row.runs, row.clock)
    row.size = added + len(msgspec.json.encode(pointers))
    statements.insert(row)
    return row


def _read(session_id: UUID) -> Situation | None:
    # Everything is read after this: it is what was committed up to here, and nothing later.
    log = ledger.position_of(session_id)
    for values in _session(pk=session_id):
        return Situation(log, session_id, *values)
    return None


def _clock(session_id: UUID) -> dict[str, Any] | None:
    replay = Replay.objects.filter(session=session_id).first()
    if replay is None:
        return None
    return {"n": replay.n, "clock": replay.clock, "generation": replay.generation}


@Prepared
def _session(pk: UUID) -> QuerySet[Session, tuple[Any, ...]]:
    said = Message.objects.filter(session=pk, is_chosen=True).order_by("-place")
    asked = Run.objects.filter(session=pk).order_by("-place")
    newest = Checkpoint.objects.of_session(pk)
    return Session.objects.filter(pk=pk).values_list(
        "state",
        "mode",
        "activation",
        "config",
        "memory",
        "message_count",
        Subquery(said.values("pk")[:1]),
        Subquery(asked.values("place")[:1]),
        Subquery(newest.values("snapshot")[:1], output_field=UUIDField()),
        Subquery(newest.values("snapshot__digest")[:1]),
        Exists(Component.objects.filter(session=pk)),
        selecting.has_topics(pk),
        Exists(Run.objects.open().filter(session=pk)),
    )


def _snapshot(found: Situation) -> tuple[UUID, int]:
    """What a session holds now, stored once, and how many bytes that added."""
    body = found.body()
    digest = checkpoints.digest(body)
    if found.snapshot is not None and digest == found.digest:
        return found.snapshot, 0
    for (known,) in _known(session_id=found.session_id, digest=digest):
        return known, 0
    size = len(body.encode())
    made = Snapshot(id=uuid4(), session_id=found.session_id, digest=digest, body=body, size=size)
    statements.insert(made)
    return made.pk, size


@Prepared
def _known(session_id: UUID, digest: str) -> QuerySet[Snapshot, tuple[UUID]]:
    return Snapshot.objects.filter(session=session_id, digest=digest).values_list("pk")


def trim(session_id: UUID, *, keep: int) -> None:
    """Let go of the oldest automatic checkpoints of a session beyond so many."""
    old = _automatic(session_id=session_id)[keep:]
    if old:
        remove(session_id, [pk for (pk,) in old])


@Prepared
def _automatic(session_id: UUID) -> QuerySet[Checkpoint, tuple[UUID]]:
    rows = Checkpoint.objects.of_session(session_id).filter(cause=Cause.AUTOMATIC.value)
    return rows.values_list("pk")


def remove(session_id: UUID, ids: Iterable[UUID]) -> None:
    """Let checkpoints of a session go, and the snapshots that no other holds."""
    Checkpoint.objects.filter(pk__in=list(ids)).delete()
    Snapshot.objects.filter(session=session_id, checkpoints=None).delete()
