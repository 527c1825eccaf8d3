"""Commands for the clock of a historical session: set it, let it go by ticks, change its speed."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import F

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import source as described
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import OPEN, SEEKABLE, State
from sessions.models import Replay, Session
from sessions.services import moving, replays, telling
from sessions.services.moving import Reference
from streaming import hints
from streaming.services.commands import Trace, command
from streaming.sources import clock_range
from streaming.sources.clock_range import Instant

MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Ordered:
    """The session and the clock that something was ordered of."""

    session: Session
    replay: Replay
    detail: dict[str, Any] = field(default_factory=dict)

    def audit(self) -> Trace:
        return Trace(session_id=self.session.pk, target=self.session.key, detail=self.detail)


@command("session.seek", scope="sessions:control")
def seek(*, principal: Principal, session: Reference, to: Instant) -> Ordered:
    """
    Set the clock to a time: the next record is the first one at or after it.

    Carried out by whoever drives the clock. On, subscribers are told by GAP exactly what is passed
    over; back, the topics begin in new epochs, which is told by GAP as well.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it has no clock, never started, or is closed
    :raises ValidationFailed: for no time, or one outside of its range
    """
    row, replay = _clock_of(principal, session, "seek")
    if State(row.state) not in SEEKABLE:
        raise moving.illegal(row, "seek")
    replay.seek_to, replay.seek_by = _within(replay, to), principal.actor
    replay.fence += 1
    replay.save(update_fields=["seek_to", "seek_by", "fence", "updated_at"])
    hints.send(hints.Hint("lever", str(row.pk)))
    return Ordered(row, replay, {"to": replay.seek_to})


@command("session.step", scope="sessions:control")
def step(*, principal: Principal, session: Reference, count: int = 1) -> Ordered:
    """
    Run a paused session for so many ticks, then pause it again; a tick is one time of its clock.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it has no clock, or is not paused
    :raises ValidationFailed: for less than 1 tick or more than a million
    """
    row, replay = _clock_of(principal, session, "step")
    if State(row.state) is not State.PAUSED:
        raise moving.illegal(row, "step")
    if not 1 <= count <= MOST_STEPS:
        raise ValidationFailed(f"count must be from 1 to {MOST_STEPS}.", field="count")
    replays.check_files(row)
    Replay.objects.filter(pk=replay.pk).update(steps=count, fence=F("fence") + 1)
    replay.refresh_from_db()
    if not row.is_starting:
        moving.begin(row, actor=principal.actor)
    return Ordered(row, replay, {"count": count})


@command("session.speed", scope="sessions:control")
def set_speed(*, principal: Principal, session: Reference, speed: float) -> Ordered:
    """
    Let the clock go so many times as fast as real time; 0 is as fast as everybody takes it.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it has no clock, or is closed
    :raises ValidationFailed: for anything but 0 and 0.25 to 100
    """
    row, replay = _clock_of(principal, session, "speed")
    if State(row.state) not in OPEN:
        raise moving.illegal(row, "speed")
    before, replay.speed = replay.speed, described.check_speed(speed)
    if replay.speed != before:
        replay.save(update_fields=["speed", "updated_at"])
        replays.describe(row, speed=speed)
        row.version += 1
        row.save()
        telling.tell(row, SessionEvent.UPDATED, actor=principal.actor, fields=["config"])
    return Ordered(row, replay, {"from": before, "to": replay.speed})


def _clock_of(principal: Principal, session: Reference, verb: str) -> tuple[Session, Replay]:
    row = moving.locked(principal, session)
    replay = Replay.objects.select_for_update(of=("self",)).filter(session=row).first()
    if replay is None:
        raise moving.illegal(row, verb, f"Cannot {verb}: this session has no clock of its own.")
    return row, replay


def _within(replay: Replay, to: Instant) -> int:
    at = clock_range.instant(to)
    first, last = replay.range_from or 0, replay.range_to or clock_range.OPEN_END
    if not first <= at <= last:
        raise ValidationFailed(
            "The clock goes only over the range of the source.", **{"from": first, "to": last}
        )
    return at
