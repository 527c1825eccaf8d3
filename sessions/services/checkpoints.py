"""Taking and removing checkpoints, by whom asks for it."""

from dataclasses import dataclass
from uuid import uuid4

from aegis_project.kit.principal import Principal
from sessions.core import texts
from sessions.core.checkpoints import Cause
from sessions.core.events import SessionEvent
from sessions.models import Checkpoint
from sessions.selectors import checkpoints as selecting
from sessions.services import moving, taking, telling
from sessions.services.moving import Reference
from streaming.services.commands import Trace, command


@dataclass(frozen=True, slots=True)
class Removed:
    """A checkpoint that is gone."""

    checkpoint: Checkpoint

    def audit(self) -> Trace:
        row = self.checkpoint
        detail = {"label": row.label, "seq": row.seq}
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


@command("checkpoint.create", scope="sessions:control")
def create(*, principal: Principal, session: Reference, label: str = "") -> Checkpoint:
    """
    Take a checkpoint; its position is that of the event that tells of it.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: if it is closed
    :raises ValidationFailed: for a label that cannot be
    """
    row = moving.locked(principal, session)
    if not row.is_open:
        raise moving.illegal(row, "checkpoint")
    texts.check(label=label)
    made = Checkpoint(id=uuid4(), label=label, cause=Cause.MANUAL.value, author=principal.actor)
    told = {"checkpoint": str(made.pk), "label": label}
    telling.tell(row, SessionEvent.CHECKPOINT, actor=principal.actor, **told)
    return taking.fill(made, row.pk)


@command("checkpoint.delete", scope="sessions:control")
def delete(*, principal: Principal, session: Reference, checkpoint: str) -> Removed:
    """
    Let a checkpoint go; what was made from it stays.

    :raises SessionNotFound: if the session is not there for the principal
    :raises CheckpointNotFound: if it has none of this id or label
    """
    row = moving.locked(principal, session)
    found = selecting.of(row.pk, checkpoint)
    telling.tell(
        row,
        SessionEvent.CHECKPOINT_DELETED,
        actor=principal.actor,
        checkpoint=str(found.pk),
        label=found.label,
        at=found.seq,
    )
    taking.remove(row.pk, [found.pk])
    return Removed(found)
