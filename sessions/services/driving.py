"""Claiming the clock of a historical session, and saving where it stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from aegis_project import database
from sessions.core.events import SessionEvent
from sessions.models import Replay, Session
from sessions.services import replays, telling
from streaming.engines.replay_seek import Target

ACTOR = "system:replay"


@dataclass(frozen=True, slots=True)
class Claimed:
    """
    A clock that this process may move, with all it needs for that.

    ``is_sure`` says that it stands where it was saved: whoever moved it last has let it go.
    """

    replay_id: UUID
    session_id: UUID
    fence: int
    speed: float
    n: int
    clock: int | None
    generation: int
    seek_to: int | None
    steps: int | None
    is_looping: bool
    is_in_step: bool
    is_running: bool
    is_sure: bool


def claim(*, replay_id: UUID, lease_id: UUID) -> Claimed | None:
    """
    Take the clock of a session for this process; None when another process holds it.

    One that is gone holds it as long as its own lease, by which it holds its components too.
    """
    now = timezone.now()
    with database.atomic():
        rows = Replay.objects.select_for_update(of=("self",)).select_related("lease", "session")
        row = rows.filter(pk=replay_id, is_exhausted=False).first()
        if row is None or not _is_free(row, lease_id, now):
            return None
        is_sure = row.lease_id in {None, lease_id}
        row.lease_id = lease_id
        row.fence += 1
        row.save(update_fields=["lease", "fence", "updated_at"])
    return _claimed(row, is_sure=is_sure)


def _claimed(row: Replay, *, is_sure: bool) -> Claimed:
    return Claimed(
        replay_id=row.pk,
        session_id=row.session_id,
        fence=row.fence,
        speed=row.speed,
        n=row.n,
        clock=row.clock,
        generation=row.generation,
        seek_to=row.seek_to,
        steps=row.steps,
        is_looping=bool(row.source.get("loop")),
        is_in_step=bool(row.source.get("lockstep")),
        is_running=row.session.is_running,
        is_sure=is_sure,
    )


def _is_free(row: Replay, lease_id: UUID, now: datetime) -> bool:
    return row.lease is None or row.lease.pk == lease_id or row.lease.expires_at < now


def save(*, replay_id: UUID, fence: int, **clock: Any) -> bool:
    """Save where the clock stands; False when it was lost to another."""
    with database.atomic():
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        return bool(mine.update(**clock))


def release(*, replay_id: UUID, fence: int, **clock: Any) -> bool:
    """Save where the clock stands and let any process take it."""
    with database.atomic():
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        return bool(mine.update(**clock, lease=None))


def set_to(*, replay_id: UUID, fence: int, before: int, target: Target) -> bool:
    """
    The clock was set: save where, and tell it; False when it was lost to another.

    ``before`` is the ``n`` that it had come to. Set back, its topics begin in new epochs.
    """
    with database.atomic():
        session = Session.objects.select_for_update(of=("self",), no_key=True)
        row = session.get(replay__pk=replay_id)
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        asked = mine.values_list("seek_by", flat=True).first()
        moved = mine.update(
            n=target.mark.n,
            clock=target.ts,
            base=target.base,
            checkpoint=target.base,
            generation=F("generation") + 1,
            seek_to=None,
        )
        if not moved:
            return False
        if target.is_anew:
            replays.mint_anew(row.pk, target.epochs.items())
        told = {"clock": target.ts, "from_n": before, "n": target.mark.n}
        telling.tell(row, SessionEvent.REPOSITIONED, actor=asked or ACTOR, **told)
    return True
