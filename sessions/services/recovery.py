"""Going back to a checkpoint: memory and participants as they were, nothing done twice."""

from typing import Any

import msgspec
from django.utils import timezone

from aegis_project.kit.principal import Principal
from components.services import restoring, standing
from sessions.core import checkpoints, texts
from sessions.core.events import SessionEvent
from sessions.models import Checkpoint, Replay, Session
from sessions.selectors import checkpoints as selecting
from sessions.services import ending, moving, telling
from sessions.services.moving import Reference
from sessions.services.outcome import Outcome
from streaming.services.commands import command


@command("session.recover", scope="sessions:control")
def recover(
    *, principal: Principal, session: Reference, checkpoint: str, reason: str = ""
) -> Outcome:
    """
    Bring a session that does not run back to a checkpoint, paused; its ledger goes on.

    Runs, tool calls and approvals that are still open belong to what is left behind and are
    cancelled; what was carried out, decided, granted or revoked stays so. A clock is ordered back
    to where it stood.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: unless it is paused, stopped or failed
    :raises CheckpointNotFound: if it has none of this id or label
    """
    row = moving.locked(principal, session)
    previous = row.state
    moving.refuse_unless_legal(row, "recover")
    texts.check(reason=reason)
    found = selecting.of(row.pk, checkpoint)
    ending.halt(row, "recover", actor=principal.actor)
    # They are locked before anything more is told.
    standing.lock(session_id=row.pk)
    if row.is_starting:
        moving.withdraw(row, "recover", actor=principal.actor)
    row.reason = reason
    _restore(row, found, previous=previous, actor=principal.actor)
    return Outcome(row, previous)


def _restore(row: Session, found: Checkpoint, *, previous: str, actor: str) -> None:
    held = msgspec.json.decode(found.snapshot.body)
    changed = [one.name for one in checkpoints.changes(row.memory, held["memory"])]
    row.memory = held["memory"]
    if row.recover(at=timezone.now()):
        moving.carry_out(row, previous=previous, actor=actor)
    else:
        row.save()
    parts = restoring.restore(session=row, wanted=held["participants"], actor=actor)
    row.refresh_from_db(fields=["component_count"])
    _set_clock_back(row, found, actor=actor)
    telling.tell(
        row,
        SessionEvent.RECOVERED,
        actor=actor,
        checkpoint=str(found.pk),
        label=found.label,
        at=found.seq,
        memory=changed,
        restored=parts.restored,
        removed=parts.removed,
        released=parts.released,
    )


def _set_clock_back(row: Session, found: Checkpoint, *, actor: str) -> None:
    clock: Any = (found.clock or {}).get("clock")
    replay = Replay.objects.select_for_update(of=("self",)).filter(session=row).first()
    if replay is None or clock is None or replay.clock == clock:
        return
    # Whoever drives it carries it out, as it does a seek.
    replay.seek_to, replay.seek_by, replay.fence = clock, actor, replay.fence + 1
    replay.is_exhausted = False
    replay.save(update_fields=["seek_to", "seek_by", "fence", "is_exhausted", "updated_at"])
